import { type Clock, fromUnknown, type Ids } from '@plinth/base'
import { type CallContext, type Interceptor, methodName } from '@plinth/rpc'
import {
  currentTrace,
  type Logger,
  type Metrics,
  readRequestId,
  requestIdHeader,
  type SpanOptions,
  type Tracer,
} from '@plinth/telemetry'
import { type CallCells, defineCallMetrics, logFault, splitName } from './call-cells.ts'
import { observeSteps, type StreamEnd } from './observe-steps.ts'

/** Where observations go and where time and identity come from. */
export interface ObservabilityDeps {
  readonly log: Logger
  readonly metrics: Metrics
  readonly tracer: Tracer
  readonly clock: Clock
  /** Makes request ids where a caller brought none. */
  readonly ids: Ids
}

/** Which calls leave a line. */
export interface CallObservabilityOptions {
  /** Whether every call leaves a line at level info, not only those that fail or are slow. @default false */
  readonly accessLog?: boolean
  /** A unary call that takes this long leaves a line at level warn. Above 0. @default 1000 */
  readonly slowMs?: number
}

type Transports = Readonly<Record<CallContext['transport'], CallCells>>

/**
 * Trace, metrics and log around every served call, as the outermost interceptors:
 *
 * - a server span, below the caller's `traceparent` or, in process, below the span the caller runs in
 * - the request id of the caller if it is fit to be logged, else a new one; it goes back with the answer
 * - `rpc_server_requests_total{service,method,transport,code}` (code: kind of the fault or `ok`) and
 *   `rpc_server_request_seconds{service,method,transport}`
 * - one line `rpc_call` for a call that failed (at the level of its kind) or was slow, or for each with `accessLog`
 *
 * What it can know beforehand is bound per method; a call that goes well allocates its span and two closures.
 *
 * @throws RangeError when `slowMs` is not above 0.
 */
export function createObservabilityInterceptors(
  deps: ObservabilityDeps,
  options: CallObservabilityOptions = {},
): readonly Interceptor[] {
  const { accessLog = false, slowMs = 1000 } = options
  if (!(slowMs > 0)) throw new RangeError(`Cannot observe calls: slowMs is above 0, received ${slowMs}`)
  const metrics = defineCallMetrics(deps.metrics, 'server')
  return [
    (method) => {
      const name = methodName(method)
      const cells = (transport: string) => metrics.cells({ ...splitName(name), transport })
      const transports = { 'in-process': cells('in-process'), grpc: cells('grpc'), rest: cells('rest') }
      const observer = new MethodObserver(deps, { name, transports, accessLog, slowMs })
      return {
        unary: (next) => (request, context) => observer.unary(context, () => next(request, context)),
        stream: (next) => (requests, context) => observer.stream(context, () => next(requests, context)),
      }
    },
  ]
}

interface MethodFacts {
  readonly name: string
  readonly transports: Transports
  readonly accessLog: boolean
  readonly slowMs: number
}

class MethodObserver {
  readonly #deps: ObservabilityDeps
  readonly #facts: MethodFacts

  constructor(deps: ObservabilityDeps, facts: MethodFacts) {
    this.#deps = deps
    this.#facts = facts
  }

  unary<T>(context: CallContext, next: () => Promise<T>): Promise<T> {
    const { tracer, clock } = this.#deps
    const startMs = clock.monotonicMs()
    // Answered inside the span, so that the lines carry its ids.
    return tracer.span(this.#facts.name, this.#spanOptions(context), () =>
      next().then(
        (answer) => {
          const tookMs = this.#count(context, startMs)
          if (this.#facts.accessLog || tookMs >= this.#facts.slowMs) this.#logAnswered(context, tookMs)
          return answer
        },
        (error: unknown) => {
          this.#countFault(context, startMs, error)
          throw error
        },
      ),
    )
  }

  stream<T>(context: CallContext, next: () => AsyncIterable<T>): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        const startMs = this.#deps.clock.monotonicMs()
        const span = this.#deps.tracer.start(this.#facts.name, this.#spanOptions(context))
        return observeSteps(span, {
          steps: span.run(() => next()[Symbol.asyncIterator]()),
          end: (outcome) => this.#endStream(context, startMs, outcome),
        })
      },
    }
  }

  #endStream(context: CallContext, startMs: number, outcome: StreamEnd): void {
    if (outcome.error !== undefined) this.#countFault(context, startMs, outcome.error)
    else {
      const tookMs = this.#count(context, startMs)
      if (this.#facts.accessLog) this.#logAnswered(context, tookMs)
    }
  }

  #spanOptions(context: CallContext): SpanOptions {
    if (context.transport === 'in-process') {
      const requestId = currentTrace()?.requestId ?? this.#deps.ids.next()
      return { kind: 'server', requestId }
    }
    const parent = this.#deps.tracer.extract(context.requestHeaders) ?? null
    const requestId = readRequestId(context.requestHeaders) ?? this.#deps.ids.next()
    context.responseHeaders.set(requestIdHeader, requestId)
    return { kind: 'server', parent, requestId }
  }

  #count(context: CallContext, startMs: number, code = 'ok'): number {
    const tookMs = this.#deps.clock.monotonicMs() - startMs
    const cells = this.#facts.transports[context.transport]
    cells.seconds.observe(tookMs / 1000)
    cells.count(code).inc()
    return tookMs
  }

  #countFault(context: CallContext, startMs: number, error: unknown): void {
    const fault = fromUnknown(error)
    const tookMs = this.#count(context, startMs, fault.kind)
    logFault(this.#deps.log, 'rpc_call', { fault, fields: this.#fields(context, tookMs) })
  }

  #logAnswered(context: CallContext, tookMs: number): void {
    const level = tookMs >= this.#facts.slowMs && context.method.methodKind === 'unary' ? 'warn' : 'info'
    this.#deps.log[level]('rpc_call', this.#fields(context, tookMs))
  }

  #fields(context: CallContext, tookMs: number): Readonly<Record<string, unknown>> {
    const { transport, peer, principal } = context
    const who = principal && { principal_id: principal.id }
    return { method: this.#facts.name, transport, peer, took_ms: Math.round(tookMs * 1000) / 1000, ...who }
  }
}
