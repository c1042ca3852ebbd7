import type { Tracer } from '@plinth/telemetry'

/** The headers that carry the trace of the work under way: what an outbox adds to its messages. */
export function traceHeaders(tracer: Pick<Tracer, 'inject'>): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  tracer.inject({ set: (name, value) => (headers[name] = value) })
  return headers
}
