import { type Clock, fromUnknown } from '@plinth/base'
import { type CallOptions, methodName, type Transport } from '@plinth/rpc'
import type { Metrics, SpanOptions, Tracer } from '@plinth/telemetry'
import { traceHeaders } from '../trace-headers.ts'
import { type CallCells, defineCallMetrics, splitName } from './call-cells.ts'
import { observeSteps } from './observe-steps.ts'

type Method = Parameters<Transport['unary']>[0]

/** Where observations of a client go. */
export interface TransportObservabilityDeps {
  readonly metrics: Metrics
  readonly tracer: Tracer
  readonly clock: Clock
}

/** How a transport is named in metrics. */
export interface TransportObservabilityOptions {
  /** The label of the metrics: `grpc`. */
  readonly transport: string
}

/**
 * Puts a client span around every call of a transport and sends `traceparent`, `tracestate` and `x-request-id` along;
 * counts `rpc_client_requests_total` and `rpc_client_request_seconds` as the server side does. It owns the transport:
 * disposing it disposes that.
 *
 * For transports that leave the process. A call inside it needs none of this: its server span is already the child
 * of the caller's.
 */
export function observeTransport(
  deps: TransportObservabilityDeps,
  transport: Transport,
  options: TransportObservabilityOptions,
): Transport {
  return new ObservedTransport(deps, transport, options)
}

interface MethodFacts {
  readonly name: string
  readonly cells: CallCells
}

const clientSpan: SpanOptions = { kind: 'client' }

class ObservedTransport implements Transport {
  readonly #deps: TransportObservabilityDeps
  readonly #inner: Transport
  readonly #factsOf: (name: string) => MethodFacts
  readonly #methods = new Map<Method, MethodFacts>()

  constructor(deps: TransportObservabilityDeps, inner: Transport, options: TransportObservabilityOptions) {
    this.#deps = deps
    this.#inner = inner
    const metrics = defineCallMetrics(deps.metrics, 'client')
    this.#factsOf = (name) => ({ name, cells: metrics.cells({ ...splitName(name), transport: options.transport }) })
  }

  async unary(method: Method, request: unknown, options: CallOptions): Promise<unknown> {
    const facts = this.#facts(method)
    const startMs = this.#deps.clock.monotonicMs()
    return await this.#deps.tracer.span(facts.name, clientSpan, async () => {
      try {
        const answer = await this.#inner.unary(method, request, this.#withTrace(options))
        this.#count(facts, startMs, 'ok')
        return answer
      } catch (error) {
        this.#count(facts, startMs, fromUnknown(error).kind)
        throw error
      }
    })
  }

  stream(method: Method, requests: AsyncIterable<unknown>, options: CallOptions): AsyncIterable<unknown> {
    const facts = this.#facts(method)
    return {
      [Symbol.asyncIterator]: () => {
        const startMs = this.#deps.clock.monotonicMs()
        const span = this.#deps.tracer.start(facts.name, clientSpan)
        const open = () => this.#inner.stream(method, requests, this.#withTrace(options))[Symbol.asyncIterator]()
        return observeSteps(span, {
          steps: span.run(open),
          end: ({ error }) => this.#count(facts, startMs, error === undefined ? 'ok' : fromUnknown(error).kind),
        })
      },
    }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#inner[Symbol.asyncDispose]()
  }

  #facts(method: Method): MethodFacts {
    let facts = this.#methods.get(method)
    if (!facts) {
      facts = this.#factsOf(methodName(method))
      this.#methods.set(method, facts)
    }
    return facts
  }

  #withTrace(options: CallOptions): CallOptions {
    const headers = { ...traceHeaders(this.#deps.tracer), ...options.headers }
    return { ...options, headers }
  }

  #count(facts: MethodFacts, startMs: number, code: string): void {
    facts.cells.seconds.observe((this.#deps.clock.monotonicMs() - startMs) / 1000)
    facts.cells.count(code).inc()
  }
}
