import type { Secret } from '@plinth/base'
import type { IdentityRefusal } from '../domain/refusals.ts'
import type { Session } from '../domain/session.ts'
import { endSessions } from './end-sessions.ts'
import type { IdentityDeps } from './ports.ts'

type Done = Record<never, never>

// More than one process is likely to remember; past it the list says nothing about the older ones.
const revocationsMax = 10_000

/** Ends the session a refresh token belongs to, whichever of its tokens it is. */
export function createLogout({ store, tokens, clock }: IdentityDeps) {
  return async (token: Secret): Promise<Done> => {
    const nowMs = clock.nowMs()
    const hash = tokens.hash(token)
    await store.write(async (tx) => {
      const known = await tx.refreshToken(hash)
      const session = known && (await tx.sessionById(known.sessionId))
      if (session) await endSessions(tx, [session], { nowMs, reason: 'logout' })
    })
    return {}
  }
}

export function createListSessions({ store, clock }: IdentityDeps) {
  return (userId: string): Promise<readonly Session[]> => store.read((tx) => tx.liveSessions(userId, clock.nowMs()))
}

/** Ends one session of the user. Another user's session is as unknown as one that never was. */
export function createRevokeSession({ store, clock }: IdentityDeps) {
  return (userId: string, sessionId: string): Promise<Done | IdentityRefusal> =>
    store.write(async (tx) => {
      const session = await tx.sessionById(sessionId)
      if (session?.userId !== userId) return { refused: 'session_unknown' }
      await endSessions(tx, [session], { nowMs: clock.nowMs(), reason: 'revoked' })
      return {}
    })
}

/** Ends all live sessions of the user but the one to keep. Answers how many. */
export function createRevokeSessions({ store, clock }: IdentityDeps) {
  return (userId: string, keepSessionId: string | undefined): Promise<number> =>
    store.write(async (tx) => {
      const nowMs = clock.nowMs()
      const sessions = (await tx.liveSessions(userId, nowMs)).filter(({ sessionId }) => sessionId !== keepSessionId)
      await endSessions(tx, sessions, { nowMs, reason: 'revoked' })
      return sessions.length
    })
}

/** The sessions revoked so lately that an access token of theirs may still be out. */
export function createListRevocations({ store, clock, settings }: IdentityDeps) {
  return () => store.read((tx) => tx.revokedSince(clock.nowMs() - 2 * settings().accessMs, revocationsMax))
}
