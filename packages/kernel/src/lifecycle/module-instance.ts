import type { PlatformError } from '@plinth/base'
import type { Scope } from '@plinth/concurrency'
import { describeFailure } from '../describe-failure.ts'
import type { HealthCheck, HealthRegistry } from '../health/health-registry.ts'
import type { GraphNode } from '../wiring/graph.ts'
import type { AnyModule, ModuleContext, StartedModule } from '../wiring/module.ts'
import { type BackgroundTask, type BackgroundTaskOptions, supervise } from './background-task.ts'
import type { ResolvedLifecycleOptions } from './lifecycle-options.ts'

interface InstanceDeps {
  readonly options: ResolvedLifecycleOptions
  readonly health: HealthRegistry
  readonly requestStop: (reason: string) => void
}

/** One module of a running application with all it owns: its hooks, its background tasks, its health checks. */
export class ModuleInstance {
  readonly node: GraphNode
  readonly #module: AnyModule
  readonly #deps: InstanceDeps
  readonly #controller = new AbortController()
  readonly #tasks = new Set<BackgroundTask>()
  readonly #checks = new DisposableStack()
  #hooks: StartedModule | undefined

  constructor(deps: InstanceDeps, parts: { readonly module: AnyModule; readonly node: GraphNode }) {
    this.#deps = deps
    this.#module = parts.module
    this.node = parts.node
  }

  get hooks(): StartedModule {
    return this.#hooks ?? {}
  }

  /** Whether stopping it takes any work, and so a share of the time. */
  get holds(): boolean {
    return this.#hooks?.stop !== undefined || this.#tasks.size > 0
  }

  /**
   * Starts the module with the parts it needs and answers the ones it provides, by the names of their keys.
   *
   * @throws whatever the module throws, and TypeError when it does not hand over a part it declares; what it did
   * hand over is stopped first.
   */
  async start(parts: ReadonlyMap<string, unknown>, scope: Scope): Promise<ReadonlyMap<string, unknown>> {
    const onAbort = () => this.#controller.abort(scope.signal.reason)
    if (scope.signal.aborted) onAbort()
    else scope.signal.addEventListener('abort', onAbort, { once: true })
    const needs = Object.entries(this.#module.needs).map(([local, { name }]) => [local, parts.get(name)] as const)
    try {
      this.#hooks = (await this.#module.start(Object.fromEntries(needs) as never, this.#context())) ?? {}
      return this.#provided(this.#hooks.provides ?? {})
    } catch (error) {
      await this.stop(scope)
      throw error
    } finally {
      scope.signal.removeEventListener('abort', onAbort)
    }
  }

  /** Ends the tasks, then calls the stop hook; the checks leave first. Calling it again does nothing. */
  async stop(scope: Scope): Promise<void> {
    this.#checks.dispose()
    this.#controller.abort(stopReason)
    await Promise.all([...this.#tasks].map((task) => task.ended))
    const hooks = this.#hooks
    this.#hooks = undefined
    await hooks?.stop?.(scope)
  }

  #provided(handed: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
    const declared = Object.entries(this.#module.provides)
    const absent = declared.filter(([local]) => handed[local] === undefined).map(([, { name }]) => name)
    if (absent.length > 0) throw new TypeError(`The module ${this.#module.name} did not hand over ${absent.join(', ')}`)
    return new Map(declared.map(([local, { name }]) => [name, handed[local]]))
  }

  #context(): ModuleContext {
    const { health } = this.#deps
    const register = (check: HealthCheck) => this.#checks.use(health.register(check))
    return {
      name: this.#module.name,
      signal: this.#controller.signal,
      health: {
        register,
        report: () => health.report(),
        liveness: () => health.liveness(),
        subscribe: (listener) => this.#checks.use(health.subscribe(listener)),
      },
      run: (name, work, options) => this.#run(name, { work, ...options }),
      requestStop: this.#deps.requestStop,
    }
  }

  #run(name: string, options: BackgroundTaskOptions & { work: (scope: Scope) => Promise<void> }): BackgroundTask {
    const { clock, observer } = this.#deps.options
    const onFailure = (failed: BackgroundTask, error: PlatformError, pauseMs: number | undefined) => {
      observer.onTaskFailure?.({ module: this.#module.name, task: name, error, failures: failed.failures, pauseMs })
      if (pauseMs === undefined) this.#reportLoss(name, error)
    }
    const task = supervise({ clock, signal: this.#controller.signal, onFailure }, { name, ...options })
    this.#tasks.add(task)
    void task.ended.then(() => this.#tasks.delete(task))
    return task
  }

  /** A task that was given up leaves its module half alive, which must be seen from outside. */
  #reportLoss(task: string, error: PlatformError): void {
    const name = `${this.#module.name}.${task}`
    const reason = `the background task was given up: ${describeFailure(error)}`
    this.#checks.use(
      this.#deps.health.register({ name, criticality: 'degrading', check: () => ({ ok: false, reason }) }),
    )
  }
}

const stopReason = new DOMException('The module stops', 'AbortError')
