import type { HealthRegistry } from '../health/health-registry.ts'
import type { LifecycleOptions } from '../lifecycle/lifecycle-options.ts'
import type { ShutdownReport, StartReport } from '../lifecycle/reports.ts'
import { startModules } from '../lifecycle/start-modules.ts'
import { buildGraph, type Graph } from './graph.ts'
import type { Key, KeyMap, ValueOf } from './key.ts'
import type { AnyModule } from './module.ts'

/** The names of the keys a list of modules needs and nobody in it provides. */
export type MissingNames<Modules extends readonly AnyModule[]> = Exclude<
  NamesIn<Modules[number]['needs']>,
  NamesIn<Modules[number]['provides']>
>

type NamesIn<Maps extends KeyMap> = Maps extends KeyMap ? Maps[keyof Maps]['name'] : never

/** What the compiler shows when a part is missing: the property's type is the name of the key. */
export interface MissingPart<Name> {
  readonly 'no module provides': Name
}

type Complete<Modules extends readonly AnyModule[]> = [MissingNames<Modules>] extends [never]
  ? Modules
  : string extends MissingNames<Modules>
    ? Modules
    : MissingPart<MissingNames<Modules>>

/** Modules put together and checked, not yet started. It can be started more than once. */
export interface Assembly<Provided extends Key<unknown> = Key<unknown>> {
  readonly graph: Graph
  /**
   * Starts all modules, each as soon as what it needs runs.
   *
   * @throws PlatformError `kernel.start_failed` (kind of the cause) after everything that had started was stopped.
   * @throws RangeError when an option is out of its bounds.
   */
  start(options?: LifecycleOptions): Promise<Running<Provided>>
}

/** An application that runs. Disposing it stops it and is quiet about how that went; {@link Running.stop} tells. */
export interface Running<Provided extends Key<unknown> = Key<unknown>> extends AsyncDisposable {
  /** A part of it, for tests and edges. */
  get<K extends Provided>(key: K): ValueOf<K>
  readonly health: HealthRegistry
  readonly startReport: StartReport
  /** Resolves with the reason when a module asks for a stop. */
  readonly stopRequested: Promise<string>
  /**
   * Readiness off, the pre-stop wait, all drain hooks, then the stop hooks in reverse order, all within the stop's
   * time. Every caller gets the same report; it never rejects.
   */
  stop(reason?: string): Promise<ShutdownReport>
  /** Ends a stop (or makes one end) at once: hooks under way are left behind, further ones are not called. */
  force(): void
}

/**
 * Puts modules together. A need that no module provides does not compile; the error's type names the key. A list whose
 * modules are chosen at run time is checked here as well.
 *
 * @throws PlatformError `kernel.wiring_broken` (precondition) naming every missing, duplicate and circular part.
 */
export function assemble<const Modules extends readonly AnyModule[]>(
  modules: Modules & Complete<Modules>,
): Assembly<ProvidedKeys<Modules>> {
  const list: readonly AnyModule[] = modules
  const graph = buildGraph(list)
  return {
    graph,
    async start(options = {}) {
      const running = await startModules({ graph, modules: list }, options)
      return {
        get: (key) => running.value(key.name) as never,
        health: running.health,
        startReport: running.startReport,
        stopRequested: running.stopRequested,
        stop: (reason = 'asked to') => running.stop(reason),
        force: () => running.force(),
        async [Symbol.asyncDispose]() {
          await running.stop('disposed')
        },
      }
    },
  }
}

type ProvidedKeys<Modules extends readonly AnyModule[]> = KeysIn<Modules[number]['provides']>
type KeysIn<Maps extends KeyMap> = Maps extends KeyMap ? Maps[keyof Maps] : never

/**
 * The same modules with another one in place of those that have its name or provide one of its keys: a fake in a
 * test, a client over gRPC instead of a local one.
 *
 * @throws RangeError when there is nothing to replace.
 */
export function replace<const Modules extends readonly AnyModule[], M extends AnyModule>(
  modules: Modules,
  module: M,
): readonly (Modules[number] | M)[] {
  const keys = new Set(Object.values(module.provides).map(({ name }) => name))
  const isReplaced = (other: AnyModule) =>
    other.name === module.name || Object.values(other.provides).some(({ name }) => keys.has(name))
  const kept = modules.filter((other) => !isReplaced(other))
  if (kept.length === modules.length) {
    throw new RangeError(
      `Cannot replace: no module is named ${module.name} or provides ${[...keys].join(', ') || 'its keys'}`,
    )
  }
  return [...kept, module]
}
