import type { IdentityDeps } from './ports.ts'

const dayMs = 86_400_000
const rowsMax = 500

/** Removes what has had its time, in small bites. Answers how many rows went; many means there may be more. */
export function createSweep({ store, clock, settings }: IdentityDeps) {
  return (): Promise<number> => {
    const nowMs = clock.nowMs()
    const { session, accessMs, accountThrottle, addressThrottle, mailThrottle } = settings()
    const forgetAfterMs = Math.max(...[accountThrottle, addressThrottle, mailThrottle].map((p) => p.forgetAfterMs))
    return store.sweep(
      {
        nowMs,
        // Revocations must outlive the access tokens they concern.
        sessionsEndedBeforeMs: nowMs - Math.max(2 * accessMs, dayMs),
        // A thief who waits longer than any holder may idle gets "unknown", which opens nothing either.
        tokensRotatedBeforeMs: nowMs - session.idleMs,
        throttlesBeforeMs: nowMs - forgetAfterMs,
        answersBeforeMs: nowMs - dayMs,
      },
      rowsMax,
    )
  }
}
