import type { IdentityEvent } from '../domain/events.ts'
import { endSession, type Session, type SessionEndReason } from '../domain/session.ts'
import type { IdentityWriter } from './ports.ts'

/** Ends sessions inside the caller's unit of work and tells others of each. */
export async function endSessions(
  tx: IdentityWriter,
  sessions: readonly Session[],
  { nowMs, reason }: { readonly nowMs: number; readonly reason: SessionEndReason },
): Promise<void> {
  const live = sessions.filter((session) => session.revokedAtMs === undefined)
  for (const session of live) await tx.saveSession(endSession(session, { nowMs, reason }))
  await tx.announce(
    live.map(
      ({ userId, sessionId }): IdentityEvent => ({ type: 'session_revoked', userId, sessionId, reason, atMs: nowMs }),
    ),
  )
}
