import { fromUnknown } from '@plinth/base'

/**
 * What went wrong, for operators: the code and the message, and for what nobody foresaw the message of the cause,
 * which strangers do not get to see. For reports and probes inside the house, never for an answer to a client.
 */
export function describeFailure(reason: unknown): string {
  const { code, message, cause } = fromUnknown(reason)
  return code === 'base.internal' && Error.isError(cause) ? `${cause.name}: ${cause.message}` : `${code} ${message}`
}
