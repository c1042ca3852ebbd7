import type { Clock } from '@plinth/base'

/** How long and how many revocations are remembered. */
export interface RevocationListOptions {
  /** How long a revoked session is remembered: the lifetime of an access token and the clock skew. @default 15 minutes */
  readonly retentionMs?: number
  /** Sessions remembered at once: 1 to 10,000,000. @default 100000 */
  readonly capacity?: number
}

/** The sessions whose access tokens are refused though they have not expired. */
export interface RevocationList {
  /** Refuses all tokens of a session. Repeating it changes nothing. */
  revoke(sessionId: string, revokedAtMs: number): void
  /** Whether a token of this session, issued then, is refused. */
  refuses(sessionId: string, issuedAtMs: number): boolean
  readonly size: number
}

/**
 * Makes a list in bounded memory. It never forgets too early: when it overflows, the oldest entry goes and every
 * token issued up to that entry's time is refused instead, so its holders refresh once and go on.
 *
 * @throws RangeError when an option is out of bounds.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { systemClock } from '@plinth/base'
 * import { createRevocationList } from '@plinth/security'
 *
 * const revoked = createRevocationList({ clock: systemClock })
 * revoked.revoke('session-1', systemClock.nowMs())
 * assert.equal(revoked.refuses('session-1', systemClock.nowMs()), true)
 * assert.equal(revoked.refuses('session-2', systemClock.nowMs()), false)
 * ```
 */
export function createRevocationList(
  deps: { readonly clock: Clock },
  options: RevocationListOptions = {},
): RevocationList {
  const { retentionMs = 900_000, capacity = 100_000 } = options
  if (!(retentionMs > 0) || !Number.isInteger(capacity) || capacity < 1 || capacity > 10_000_000) {
    throw new RangeError('Cannot make a revocation list: retentionMs is above 0 and capacity from 1 to 10000000')
  }
  const revokedAt = new Map<string, number>()
  let refusedUpToMs = -Infinity

  function makeRoom(): void {
    const forgetByMs = deps.clock.nowMs() - retentionMs
    for (const [sessionId, atMs] of revokedAt) {
      if (atMs > forgetByMs && revokedAt.size < capacity) break
      revokedAt.delete(sessionId)
      if (atMs > forgetByMs) refusedUpToMs = Math.max(refusedUpToMs, atMs)
    }
  }

  return {
    revoke(sessionId, revokedAtMs) {
      if (revokedAt.has(sessionId)) return
      makeRoom()
      revokedAt.set(sessionId, revokedAtMs)
    },
    refuses: (sessionId, issuedAtMs) => issuedAtMs <= refusedUpToMs || revokedAt.has(sessionId),
    get size() {
      return revokedAt.size
    },
  }
}
