import { fromUnknown } from '@plinth/base'
import type { Bus, Message, MessageMiddleware, NewMessage } from '@plinth/messaging'
import { currentTrace } from '@plinth/telemetry'
import { traceHeaders } from '../trace-headers.ts'
import { logFault } from './call-cells.ts'
import type { ObservabilityDeps } from './observe-calls.ts'

/**
 * A bus whose messages carry the trace: `publish` adds the headers of the span it runs in to messages that have none
 * (those of an outbox have), and every handler runs in a consumer span below them. Counts
 * `messaging_published_total{topic}`, `messaging_handled_total{group,topic,outcome}` and
 * `messaging_handle_seconds{group,topic}`; a handler that fails leaves the line `message_failed`. It owns the bus.
 */
export function observeBus(deps: Omit<ObservabilityDeps, 'ids'>, bus: Bus): Bus {
  const { metrics, tracer } = deps
  const published = metrics.counter({
    name: 'messaging_published_total',
    help: 'Messages made durable',
    labels: ['topic'],
  })
  const observer = new HandlerObserver(deps)
  return {
    admin: bus.admin,
    async publish(messages, options) {
      const headers = currentTrace() ? traceHeaders(tracer) : undefined
      await bus.publish(headers ? messages.map((message) => withHeaders(message, headers)) : messages, options)
      for (const { topic } of messages) published.labels({ topic }).inc()
    },
    subscribe: (options) => bus.subscribe({ ...options, handler: observer.link(options.group)(options.handler) }),
    [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
  }
}

function withHeaders(message: NewMessage, headers: Readonly<Record<string, string>>): NewMessage {
  return { ...message, headers: { ...headers, ...message.headers } }
}

class HandlerObserver {
  readonly #deps: Omit<ObservabilityDeps, 'ids'>
  readonly #handled
  readonly #seconds

  constructor(deps: Omit<ObservabilityDeps, 'ids'>) {
    this.#deps = deps
    this.#handled = deps.metrics.counter({
      name: 'messaging_handled_total',
      help: 'Deliveries by outcome: ok or the kind of the fault',
      labels: ['group', 'topic', 'outcome'],
    })
    this.#seconds = deps.metrics.histogram({
      name: 'messaging_handle_seconds',
      help: 'Time a handler took for one message',
      labels: ['group', 'topic'],
    })
  }

  /** Trace, metrics and log around the handlers of a group. */
  link(group: string): MessageMiddleware {
    const { tracer, clock } = this.#deps
    return (next) => async (message, delivery) => {
      const startMs = clock.monotonicMs()
      const parent = tracer.extract({ get: (name) => message.headers[name] }) ?? null
      const attributes = { group, message_id: message.id, attempt: delivery.attempt }
      await tracer.span(`${message.topic} ${message.type}`, { kind: 'consumer', parent, attributes }, async () => {
        let outcome = 'ok'
        try {
          await next(message, delivery)
        } catch (error) {
          outcome = this.#logFailure(message, { group, attempt: delivery.attempt, error })
          throw error
        } finally {
          this.#handled.labels({ group, topic: message.topic, outcome }).inc()
          this.#seconds.labels({ group, topic: message.topic }).observe((clock.monotonicMs() - startMs) / 1000)
        }
      })
    }
  }

  #logFailure(
    message: Message,
    failure: { readonly group: string; readonly attempt: number; readonly error: unknown },
  ): string {
    const { group, attempt, error } = failure
    const { topic, type, id: message_id, key } = message
    const fault = fromUnknown(error)
    logFault(this.#deps.log, 'message_failed', { fault, fields: { group, topic, type, message_id, key, attempt } })
    return fault.kind
  }
}
