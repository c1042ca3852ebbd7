import { type ErrorDetails, type ErrorKind, PlatformError } from '@plinth/base'

/** What `assert.rejects` compares a fault with. */
export function faultLike(kind: ErrorKind, code: string, more: { retryable?: boolean; retryAfterMs?: number } = {}) {
  return { kind, code, ...more }
}

/** A fault for a handler to throw. */
export function testFault(
  kind: ErrorKind,
  code: string,
  more: { retryAfterMs?: number; details?: ErrorDetails; message?: string } = {},
): PlatformError {
  return new PlatformError(more.message ?? 'As the test wants it', { kind, code, ...more })
}
