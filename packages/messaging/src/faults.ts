import { type ErrorDetails, type ErrorKind, PlatformError } from '@plinth/base'

/** Every code of this package with its kind, in one place. */
const kinds = {
  'messaging.invalid_message': 'invalid',
  'messaging.payload_too_large': 'invalid',
  'messaging.batch_too_large': 'invalid',
  'messaging.invalid_query': 'invalid',
  'messaging.full': 'exhausted',
  'messaging.overloaded': 'exhausted',
  'messaging.too_many_topics': 'exhausted',
  'messaging.closed': 'unavailable',
  'messaging.disk_failed': 'unavailable',
  'messaging.folder_locked': 'precondition',
  'messaging.log_corrupt': 'internal',
  'messaging.relay_lease_lost': 'unavailable',
} as const satisfies Record<string, ErrorKind>

/** A code of this package; the README says when each is thrown. */
export type MessagingCode = keyof typeof kinds

interface FaultOptions {
  readonly details?: ErrorDetails
  readonly cause?: unknown
  readonly retryAfterMs?: number
}

export function messagingFault(code: MessagingCode, message: string, options: FaultOptions = {}): PlatformError {
  return new PlatformError(message, { kind: kinds[code], code, ...options })
}
