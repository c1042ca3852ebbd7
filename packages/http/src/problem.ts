import type { FieldViolation, JsonValue, PlatformError } from '@plinth/base'
import { httpStatusOf, httpTitleOf } from './http-errors.ts'

/** Media type of a problem document (RFC 9457). */
export const problemMediaType = 'application/problem+json'

/** An error answer as RFC 9457 has it, with Plinth's members `code`, `retryable`, `violations` and `details`. */
export interface ProblemDocument {
  /** Relative URI of the page that explains the code. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** The request id, by which the log line is found. */
  readonly instance?: string
  readonly code: string
  readonly retryable: boolean
  readonly violations?: readonly FieldViolation[]
  /** The fault's other facts. */
  readonly details?: { readonly [fact: string]: JsonValue }
}

/** Writes a fault as a problem document. What an internal fault knows stays at home: only its message goes out. */
export function toProblem(error: PlatformError, requestId?: string): ProblemDocument {
  const { violations, ...facts } = error.details
  return {
    type: `/docs/errors/${encodeURIComponent(error.code)}`,
    title: httpTitleOf(error),
    status: httpStatusOf(error),
    detail: error.kind === 'internal' ? 'Something failed inside the server' : error.message,
    ...(requestId === undefined ? {} : { instance: `urn:request:${requestId}` }),
    code: error.code,
    retryable: error.retryable,
    ...(violations === undefined ? {} : { violations }),
    ...(error.kind === 'internal' || Object.keys(facts).length === 0
      ? {}
      : { details: facts as { [fact: string]: JsonValue } }),
  }
}

/** `Retry-After` in whole seconds, at least 1, for faults that say when to come back (RFC 9110, section 10.2.3). */
export function retryAfterSeconds(error: PlatformError): number | undefined {
  return error.retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(error.retryAfterMs / 1000))
}
