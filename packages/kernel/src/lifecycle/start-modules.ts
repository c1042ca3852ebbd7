import { fromUnknown, PlatformError } from '@plinth/base'
import { describeFailure } from '../describe-failure.ts'
import { createHealthController, type HealthController } from '../health/health-registry.ts'
import type { Graph, GraphNode } from '../wiring/graph.ts'
import type { AnyModule } from '../wiring/module.ts'
import { type LifecycleOptions, type ResolvedLifecycleOptions, resolveLifecycleOptions } from './lifecycle-options.ts'
import { ModuleInstance } from './module-instance.ts'
import type { HookReport, StartReport } from './reports.ts'
import { type HookResult, runHook } from './run-hook.ts'
import { createRunningModules, type RunningModules } from './running-modules.ts'

interface Start {
  readonly graph: Graph
  readonly options: ResolvedLifecycleOptions
  readonly health: HealthController
  readonly instances: ReadonlyMap<string, ModuleInstance>
  readonly running: RunningModules
  readonly values: Map<string, unknown>
  /** Aborts when one start has failed or the caller gives up. */
  readonly halt: AbortController
  readonly epochMs: number
  readonly reports: HookReport[]
  failure: PlatformError | undefined
}

/**
 * Starts modules, each as soon as all it needs has started. The time left is shared: a module gets the part that
 * leaves as much for each of those still waiting in the longest chain behind it.
 *
 * @throws PlatformError `kernel.start_failed` (kind of the cause) when a module failed or was cut off, after what had
 * started was stopped. A start that finishes after it was left behind is stopped then.
 */
export async function startModules(
  assembly: { readonly graph: Graph; readonly modules: readonly AnyModule[] },
  lifecycle: LifecycleOptions,
): Promise<RunningModules> {
  const start = prepare(assembly, resolveLifecycleOptions(lifecycle))
  const { options, halt } = start
  const onAbort = () => fail(start, fromUnknown(options.signal?.reason))
  if (options.signal?.aborted) onAbort()
  else options.signal?.addEventListener('abort', onAbort, { once: true })
  const heights = heightsOf(start.graph)
  const begun = new Map<string, Promise<void>>()
  for (const node of start.graph.nodes) {
    const before = node.after.map((name) => begun.get(name))
    begun.set(
      node.module,
      Promise.all(before).then(() => startOne(start, { node, height: heights.get(node.module) ?? 1 })),
    )
  }
  await Promise.all(begun.values())
  options.signal?.removeEventListener('abort', onAbort)
  if (start.failure) {
    halt.abort(start.failure)
    await start.running.stop('the start failed')
    throw start.failure
  }
  start.health.setPhase('ready')
  return start.running
}

function prepare(
  assembly: { readonly graph: Graph; readonly modules: readonly AnyModule[] },
  options: ResolvedLifecycleOptions,
): Start {
  const { graph, modules } = assembly
  const health = createHealthController({ clock: options.clock })
  const requests = Promise.withResolvers<string>()
  const byName = new Map(modules.map((module) => [module.name, module]))
  const deps = { options, health, requestStop: requests.resolve }
  const instances = new Map(
    graph.nodes.map((node) => [
      node.module,
      new ModuleInstance(deps, { module: byName.get(node.module) as AnyModule, node }),
    ]),
  )
  const epochMs = options.clock.monotonicMs()
  const reports: HookReport[] = []
  const values = new Map<string, unknown>()
  const started = () => startReport(graph, reports)
  const running = createRunningModules({
    graph,
    options,
    health,
    instances,
    values,
    startReport: started,
    stopRequested: requests.promise,
  })
  return {
    graph,
    options,
    health,
    instances,
    running,
    values,
    halt: new AbortController(),
    epochMs,
    reports,
    failure: undefined,
  }
}

async function startOne(start: Start, one: { readonly node: GraphNode; readonly height: number }): Promise<void> {
  if (start.failure) return
  const { options, epochMs, values } = start
  const { node } = one
  const instance = start.instances.get(node.module) as ModuleInstance
  const leftMs = options.startTimeoutMs - (options.clock.monotonicMs() - epochMs)
  const result = await runHook(
    { clock: options.clock, signal: start.halt.signal, force: start.running.forced },
    {
      module: node.module,
      hook: 'start',
      epochMs,
      timeoutMs: Math.max(0, leftMs) / one.height,
      work: (scope) => instance.start(values, scope),
      outlives: true,
    },
  )
  start.reports.push(result.report)
  options.observer.onHook?.(result.report)
  if (result.outcome !== 'ok') return giveUp(start, { instance, result })
  for (const [name, value] of result.value) values.set(name, value)
  start.running.adopt(instance)
}

function giveUp(
  start: Start,
  failed: { readonly instance: ModuleInstance; readonly result: HookResult<unknown> },
): void {
  const { instance, result } = failed
  if (result.outcome === 'ok') return
  if (result.outcome === 'cut_off') {
    // It holds something only once it returns, and then nobody waits for it: so it is stopped the moment it does.
    void result.late.then(
      () => start.running.stopLate(instance),
      () => {},
    )
  }
  const { error } = result
  // Hooks cut off because another one failed only repeat that failure.
  if (start.failure) return
  const what = result.outcome === 'cut_off' ? 'did not start in time' : 'failed to start'
  const path = pathTo(instance.node, start.graph)
  fail(
    start,
    new PlatformError(`Cannot start: ${path.join(' <- ')} ${what}: ${describeFailure(error)}`, {
      kind: error.kind,
      code: 'kernel.start_failed',
      details: { module: instance.node.module, outcome: result.outcome, cause: error.code, path },
      cause: error,
    }),
  )
}

function fail(start: Start, failure: PlatformError): void {
  start.failure ??= failure
  start.halt.abort(start.failure)
}

/** The module and one chain of those that wait for it. */
function pathTo(node: GraphNode, graph: Graph): readonly string[] {
  const path = [node.module]
  for (const each of graph.nodes) if (each.after.includes(path.at(-1) as string)) path.push(each.module)
  return path
}

/** How many modules the longest chain has from each one to the last that waits for it, itself included. */
function heightsOf(graph: Graph): ReadonlyMap<string, number> {
  const heights = new Map<string, number>()
  for (const node of graph.nodes.toReversed()) {
    const own = heights.get(node.module) ?? 1
    heights.set(node.module, own)
    for (const name of node.after) heights.set(name, Math.max(heights.get(name) ?? 1, own + 1))
  }
  return heights
}

function startReport(graph: Graph, hooks: readonly HookReport[]): StartReport {
  const ends = new Map(hooks.map((hook) => [hook.module, hook.beganMs + hook.tookMs]))
  const endOf = (name: string) => ends.get(name) ?? 0
  const last = (names: readonly string[]) =>
    names.reduce<string | undefined>((a, b) => (a !== undefined && endOf(a) >= endOf(b) ? a : b), undefined)
  const byName = new Map(graph.nodes.map((node) => [node.module, node]))
  const path: string[] = []
  for (let at = last([...ends.keys()]); at !== undefined; at = last(byName.get(at)?.after ?? [])) path.unshift(at)
  return { tookMs: Math.max(0, ...ends.values()), hooks: [...hooks], criticalPath: path }
}
