import { systemClock } from '@plinth/base'
import { openScope } from '@plinth/concurrency'
import { type BackgroundTask, supervise } from './background-task.ts'
import { buildGraph, type Graph } from './graph.ts'
import type { Key, KeyMap, ValueOf } from './key.ts'
import type { AnyModule, ModuleContext, StartedModule } from './module.ts'

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
  start(options?: StartOptions): Promise<Running<Provided>>
}

export interface StartOptions {
  /** Time for the whole start. @default 60000 */
  readonly startTimeoutMs?: number
}

/** An application that runs. Disposing it stops it. */
export interface Running<Provided extends Key<unknown> = Key<unknown>> extends AsyncDisposable {
  /** A part of it, for tests and edges. */
  get<K extends Provided>(key: K): ValueOf<K>
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
  return { graph, start: (options) => startAll(graph, { modules: list, ...options }) }
}

type ProvidedKeys<Modules extends readonly AnyModule[]> = KeysIn<Modules[number]['provides']>
type KeysIn<Maps extends KeyMap> = Maps extends KeyMap ? Maps[keyof Maps] : never

async function startAll(
  graph: Graph,
  options: StartOptions & { readonly modules: readonly AnyModule[] },
): Promise<Running<never>> {
  const byName = new Map(options.modules.map((module) => [module.name, module]))
  const parts = new Map<string, unknown>()
  const started: { controller: AbortController; hooks: StartedModule; tasks: BackgroundTask[] }[] = []
  const stop = async () => {
    const scope = openScope()
    for (const each of started.splice(0).reverse()) {
      each.controller.abort()
      await Promise.all(each.tasks.map((task) => task.ended))
      await each.hooks.stop?.(scope)
    }
  }
  try {
    for (const node of graph.nodes) {
      const module = byName.get(node.module) as AnyModule
      const controller = new AbortController()
      const tasks: BackgroundTask[] = []
      const deps = Object.fromEntries(Object.entries(module.needs).map(([local, { name }]) => [local, parts.get(name)]))
      const context: ModuleContext = {
        name: module.name,
        signal: controller.signal,
        health: { register: () => ({ [Symbol.dispose]() {} }) },
        run(name, work, options) {
          const task = supervise({ clock: systemClock, signal: controller.signal }, { name, work, ...options })
          tasks.push(task)
          return task
        },
        requestStop() {},
      }
      const hooks: StartedModule = await module.start(deps as never, context)
      started.push({ controller, hooks, tasks })
      for (const [local, { name }] of Object.entries(module.provides)) parts.set(name, hooks.provides?.[local])
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { get: (key: Key<unknown>) => parts.get(key.name) as never, [Symbol.asyncDispose]: stop }
}
