import type { TraceContext } from './context.ts'
import { formatTraceparent, parseTraceparent } from './traceparent.ts'
import { formatTracestate, parseTracestate } from './tracestate.ts'

/** Headers to read from: a `Map` with names in lower case, `Headers`, or the like. */
export interface HeaderReader {
  get(name: string): string | null | undefined
}

/** Headers to write to. */
export interface HeaderWriter {
  set(name: string, value: string): unknown
}

/** Name of the header that carries the request's id between services. */
export const requestIdHeader = 'x-request-id'

const requestIdForm = /^[A-Za-z0-9._:/+=-]{1,128}$/

/** The request's id, if the header holds one that is safe to log and to pass on: 1 to 128 plain characters. */
export function readRequestId(headers: HeaderReader): string | undefined {
  const value = headers.get(requestIdHeader)
  return value && requestIdForm.test(value) ? value : undefined
}

/** The caller's trace, or `undefined` if the headers carry none that is valid. */
export function extractTrace(headers: HeaderReader): TraceContext | undefined {
  const parent = parseTraceparent(headers.get('traceparent') ?? '')
  if (!parent) return undefined
  const traceState = formatTracestate(parseTracestate(headers.get('tracestate') ?? '') ?? [])
  return { ...parent, traceState: traceState === '' ? undefined : traceState, requestId: readRequestId(headers) }
}

/** Writes `traceparent`, and `tracestate` and `x-request-id` where the context has them. */
export function injectTrace(context: TraceContext, headers: HeaderWriter): void {
  headers.set('traceparent', formatTraceparent(context))
  if (context.traceState !== undefined) headers.set('tracestate', context.traceState)
  if (context.requestId !== undefined) headers.set(requestIdHeader, context.requestId)
}
