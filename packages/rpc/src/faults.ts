import { type ErrorDetails, type FieldViolation, fromUnknown, PlatformError } from '@plinth/base'

/** What ends a stream, or refuses one, on a server that is going down. */
export function drainingError(): PlatformError {
  return new PlatformError('The server is going down: connect again', {
    kind: 'unavailable',
    code: 'rpc.draining',
    retryAfterMs: 1_000,
  })
}

/** Details beyond this do not fit into the trailers that every gRPC peer accepts. */
const detailsBytesMax = 6144

/**
 * The same fault as it arrives on the other side of a call: kind, code, message, retry hint and details survive; the
 * cause and the stack stay at home. Details are bounded, and what was left out is counted.
 */
export function transferFault(thrown: unknown): PlatformError {
  const fault = fromUnknown(thrown)
  return new PlatformError(fault.message.slice(0, messageLengthMax).toWellFormed(), {
    kind: fault.kind,
    code: fault.code,
    retryable: fault.retryable,
    ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
    details: portableDetails(fault.details),
  })
}

const messageLengthMax = 1000

/** A copy of the details as JSON has them, small enough for every transport. */
function portableDetails(details: ErrorDetails): ErrorDetails {
  let text: string
  try {
    text = JSON.stringify(details ?? {}) ?? '{}'
  } catch {
    // Details that are no JSON (a cycle, a bigint) are a mistake of the handler; the fault itself must still arrive.
    return { details_omitted: true }
  }
  if (text === '{}') return {}
  if (Buffer.byteLength(text) <= detailsBytesMax) return JSON.parse(text.toWellFormed())
  const { violations, ...others } = JSON.parse(text.toWellFormed()) as ErrorDetails
  if (Buffer.byteLength(JSON.stringify(others)) > detailsBytesMax / 2) return { details_omitted: true }
  if (!Array.isArray(violations)) return others
  return { ...others, ...fittingViolations(violations, detailsBytesMax / 2) }
}

function fittingViolations(violations: readonly FieldViolation[], bytesMax: number): ErrorDetails {
  const kept: FieldViolation[] = []
  let bytes = 0
  for (const violation of violations) {
    bytes += Buffer.byteLength(JSON.stringify(violation))
    if (bytes > bytesMax) break
    kept.push(violation)
  }
  return { violations: kept, violations_omitted: violations.length - kept.length }
}

/** The fault of a call whose signal aborted with `reason`: a fault stays itself, anything else means "no longer wanted". */
export function abortFault(reason: unknown): PlatformError {
  if (PlatformError.is(reason)) return reason
  if (Error.isError(reason) && (reason.name === 'AbortError' || reason.name === 'TimeoutError')) {
    return fromUnknown(reason)
  }
  return new PlatformError('The call was cancelled', { kind: 'cancelled', code: 'base.cancelled', cause: reason })
}
