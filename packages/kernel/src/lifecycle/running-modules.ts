import { type Clock, sleep } from '@plinth/base'
import type { HealthController, HealthRegistry } from '../health/health-registry.ts'
import type { Graph, GraphNode } from '../wiring/graph.ts'
import type { ResolvedLifecycleOptions } from './lifecycle-options.ts'
import type { ModuleInstance } from './module-instance.ts'
import type { HookName, HookReport, ShutdownReport, StartReport } from './reports.ts'
import { runHook } from './run-hook.ts'

interface RunningParts {
  readonly graph: Graph
  readonly options: ResolvedLifecycleOptions
  readonly health: HealthController
  readonly instances: ReadonlyMap<string, ModuleInstance>
  readonly values: ReadonlyMap<string, unknown>
  readonly startReport: () => StartReport
  readonly stopRequested: Promise<string>
}

/** Modules under way: what has been adopted runs, and is stopped by {@link RunningModules.stop}. */
export interface RunningModules {
  readonly health: HealthRegistry
  readonly startReport: StartReport
  /** Resolves with the reason when a module asks for a stop. */
  readonly stopRequested: Promise<string>
  /** Aborts on {@link RunningModules.force}. */
  readonly forced: AbortSignal
  value(name: string): unknown
  adopt(instance: ModuleInstance): void
  /** Stops everything in order; the same report for every caller. Never rejects. */
  stop(reason: string): Promise<ShutdownReport>
  /** Stops an instance whose start came back when nobody waited any more. */
  stopLate(instance: ModuleInstance): Promise<void>
  /** Leaves every hook behind at once and calls no further one. */
  force(): void
}

export function createRunningModules(parts: RunningParts): RunningModules {
  const { options, health } = parts
  const adopted = new Map<string, ModuleInstance>()
  const forcing = new AbortController()
  const forced = options.force ? AbortSignal.any([forcing.signal, options.force]) : forcing.signal
  let stopping: Promise<ShutdownReport> | undefined

  return {
    health,
    stopRequested: parts.stopRequested,
    forced,
    get startReport() {
      return parts.startReport()
    },
    value: (name) => parts.values.get(name),
    adopt: (instance) => adopted.set(instance.node.module, instance),
    stop(reason) {
      stopping ??= new Shutdown({ options, health, force: forced, graph: parts.graph, adopted }).run(reason)
      return stopping
    },
    async stopLate(instance) {
      const late = new Shutdown({ options, health, force: forced, graph: parts.graph, adopted: new Map() })
      await late.call(instance, { hook: 'stop', timeoutMs: options.stopTimeoutMs })
    },
    force: () => forcing.abort(new DOMException('The stop was forced', 'AbortError')),
  }
}

interface ShutdownParts {
  readonly options: ResolvedLifecycleOptions
  readonly health: HealthController
  readonly force: AbortSignal
  readonly graph: Graph
  readonly adopted: ReadonlyMap<string, ModuleInstance>
}

class Shutdown {
  readonly #parts: ShutdownParts
  readonly #clock: Clock
  readonly #epochMs: number
  readonly #reports: HookReport[] = []

  constructor(parts: ShutdownParts) {
    this.#parts = parts
    this.#clock = parts.options.clock
    this.#epochMs = this.#clock.monotonicMs()
  }

  async run(reason: string): Promise<ShutdownReport> {
    const { health, force, adopted, options } = this.#parts
    health.setPhase('draining')
    if (options.preStopWaitMs > 0 && adopted.size > 0) await this.#preStopWait()
    await this.#drainAll()
    await this.#stopAll()
    health.setPhase('stopped')
    const clean = this.#reports.every(({ outcome }) => outcome === 'ok')
    return { reason, tookMs: this.#sinceMs(), forced: force.aborted, clean, hooks: [...this.#reports] }
  }

  async call(instance: ModuleInstance, hook: { readonly hook: HookName; readonly timeoutMs: number }): Promise<void> {
    const { force, options } = this.#parts
    const isStop = hook.hook === 'stop'
    const base = {
      module: instance.node.module,
      hook: hook.hook,
      epochMs: this.#epochMs,
      timeoutMs: hook.timeoutMs,
      outlives: false,
    }
    const report: HookReport = force.aborted
      ? {
          module: base.module,
          hook: hook.hook,
          outcome: 'skipped',
          beganMs: this.#sinceMs(),
          tookMs: 0,
          error: undefined,
        }
      : (
          await runHook(
            { clock: this.#clock, force },
            { ...base, work: (scope) => (isStop ? instance.stop(scope) : instance.hooks.drain?.(scope)) },
          )
        ).report
    this.#reports.push(report)
    options.observer.onHook?.(report)
  }

  async #preStopWait(): Promise<void> {
    const { force, options } = this.#parts
    // Half of the time stays for the hooks, however long the wait was configured. Forcing ends the wait.
    const waitMs = Math.min(options.preStopWaitMs, options.stopTimeoutMs / 2)
    await sleep(this.#clock, waitMs, force).catch(() => {})
  }

  async #drainAll(): Promise<void> {
    const draining = [...this.#parts.adopted.values()].filter(({ hooks }) => hooks.drain !== undefined)
    const leftMs = this.#leftMs()
    const timeoutMs = Math.min(this.#parts.options.drainTimeoutMs ?? leftMs / 2, leftMs)
    await Promise.all(draining.map((instance) => this.call(instance, { hook: 'drain', timeoutMs })))
  }

  /** Each module once those that need it have stopped; the time left is shared along the chain below it. */
  async #stopAll(): Promise<void> {
    const { graph, adopted } = this.#parts
    const depths = depthsOf(graph, adopted)
    const stopped = new Map<string, Promise<void>>()
    for (const node of graph.nodes.toReversed()) {
      const dependents = graph.nodes.filter((other) => other.after.includes(node.module))
      const before = Promise.all(dependents.map((other) => stopped.get(other.module)))
      stopped.set(
        node.module,
        before.then(() => this.#stopOne(node, depths.get(node.module) ?? 1)),
      )
    }
    await Promise.all(stopped.values())
  }

  async #stopOne(node: GraphNode, depth: number): Promise<void> {
    const instance = this.#parts.adopted.get(node.module)
    if (!instance) return
    if (instance.holds) await this.call(instance, { hook: 'stop', timeoutMs: this.#leftMs() / depth })
    else await instance.stop(idle)
  }

  #leftMs(): number {
    return Math.max(0, this.#parts.options.stopTimeoutMs - this.#sinceMs())
  }

  #sinceMs(): number {
    return this.#clock.monotonicMs() - this.#epochMs
  }
}

const idle = { signal: new AbortController().signal, deadlineMs: Infinity, remainingMs: () => Infinity }

/** How many modules with something to stop the longest chain has from each one down, itself included. */
function depthsOf(graph: Graph, adopted: ReadonlyMap<string, ModuleInstance>): ReadonlyMap<string, number> {
  const depths = new Map<string, number>()
  for (const node of graph.nodes) {
    const below = node.after.reduce((deepest, name) => Math.max(deepest, depths.get(name) ?? 0), 0)
    depths.set(node.module, below + (adopted.get(node.module)?.holds ? 1 : 0))
  }
  return depths
}
