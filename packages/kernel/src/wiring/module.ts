import type { Scope } from '@plinth/concurrency'
import type { HealthRegistry } from '../health/health-registry.ts'
import type { BackgroundTask, BackgroundTaskOptions } from '../lifecycle/background-task.ts'
import type { Key, KeyMap, ValuesOf } from './key.ts'

type NoKeys = Record<never, never>

/**
 * A part of the application: what it needs, what it provides, how it starts and stops. Made by {@link defineModule},
 * put together by `assemble`.
 */
export interface Module<Needs extends KeyMap = KeyMap, Provides extends KeyMap = KeyMap> {
  /** Names the module in graphs, reports and errors; unique in an assembly. */
  readonly name: string
  readonly needs: Needs
  readonly provides: Provides
  start(
    deps: ValuesOf<Needs>,
    context: ModuleContext,
  ): Promise<Started<ValuesOf<Provides>>> | Started<ValuesOf<Provides>>
}

/** Any module, where its types do not matter. */
export interface AnyModule {
  readonly name: string
  readonly needs: KeyMap
  readonly provides: KeyMap
  start(deps: never, context: ModuleContext): Promise<StartedModule> | StartedModule
}

/** What a module hands over once it runs. */
export type Started<Provides> = ModuleHooks & ProvidesPart<Provides>

type ProvidesPart<Provides> = keyof Provides extends never
  ? { readonly provides?: Readonly<Record<string, never>> }
  : { readonly provides: Provides }

/** {@link Started} without its types. */
export interface StartedModule extends ModuleHooks {
  readonly provides?: Readonly<Record<string, unknown>>
}

/**
 * How a running module ends. Each hook is called once at most, under a deadline; its scope's signal aborts when the
 * time is up, and a hook that does not return then is left behind and named in the shutdown report.
 */
export interface ModuleHooks {
  /**
   * Refuses new work and waits for what is under way. Called on all modules at once, while everything still runs,
   * so a handler that finishes can still use every part.
   */
  drain?(scope: Scope): PromiseLike<void> | void
  /** Releases everything. Called when all modules that need this one have stopped; also when a start fails later. */
  stop?(scope: Scope): PromiseLike<void> | void
}

/** What the kernel gives a module besides its needs. */
export interface ModuleContext {
  /** The module's own name. */
  readonly name: string
  /** Aborts when the module's own start is given up or its background tasks must end, just before `stop`. */
  readonly signal: AbortSignal
  /** Where the module registers its checks; they leave with the module. */
  readonly health: HealthRegistry
  /**
   * Runs a task in the background for as long as the module runs. A task that fails is started again after a growing
   * pause; one that returns is done. The module's stop cancels its signal and waits for it.
   */
  run(name: string, task: (scope: Scope) => Promise<void>, options?: BackgroundTaskOptions): BackgroundTask
  /** Asks for an orderly stop of the whole application; the reason stands in the shutdown report. */
  requestStop(reason: string): void
}

/** A module as it is written: `needs` and `provides` may be left out when empty. */
export interface ModuleDefinition<Needs extends KeyMap, Provides extends KeyMap> {
  readonly name: string
  readonly needs?: Needs
  readonly provides?: Provides
  start(
    deps: ValuesOf<Needs>,
    context: ModuleContext,
  ): Promise<Started<ValuesOf<Provides>>> | Started<ValuesOf<Provides>>
}

/**
 * Declares a part of the application. Nothing happens until it is assembled and started.
 *
 * @throws RangeError when the name is not 1 to 100 characters of letters, digits and `. : / _ -`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { assemble, defineModule, key, provide } from '@plinth/kernel'
 *
 * const Name = key<string>()('name')
 * const Greeting = key<string>()('greeting')
 * const greeter = defineModule({
 *   name: 'greeter',
 *   needs: { who: Name },
 *   provides: { greeting: Greeting },
 *   start: ({ who }) => ({ provides: { greeting: `hello ${who}` } }),
 * })
 * await using running = await assemble([provide(Name, 'ada'), greeter]).start()
 * assert.equal(running.get(Greeting), 'hello ada')
 * ```
 */
export function defineModule<const Needs extends KeyMap = NoKeys, const Provides extends KeyMap = NoKeys>(
  definition: ModuleDefinition<Needs, Provides>,
): Module<Needs, Provides> {
  if (!namePattern.test(definition.name)) {
    throw new RangeError(
      `Cannot define a module: its name is 1 to 100 of letters, digits and . : / _ -, received "${definition.name}"`,
    )
  }
  return Object.freeze({
    name: definition.name,
    needs: definition.needs ?? ({} as Needs),
    provides: definition.provides ?? ({} as Provides),
    start: definition.start,
  })
}

/** A module that only provides a value made elsewhere: a clock, a fake, a configuration. It does not dispose it. */
export function provide<T, Name extends string>(
  key: Key<T, Name>,
  value: NoInfer<T>,
): Module<NoKeys, { readonly value: Key<T, Name> }> {
  return defineModule({
    name: key.name,
    provides: { value: key },
    start: () => ({ provides: { value } }) as never,
  })
}

const namePattern = /^[A-Za-z0-9.:/_-]{1,100}$/
