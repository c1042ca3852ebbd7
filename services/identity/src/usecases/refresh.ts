import type { Secret } from '@plinth/base'
import { type IdentityRefusal, isRefusal } from '../domain/refusals.ts'
import { decideRefresh, type Session } from '../domain/session.ts'
import type { User } from '../domain/user.ts'
import { endSessions } from './end-sessions.ts'
import {
  createGrant,
  decodeGrant,
  encodeGrant,
  type Grant,
  type IssuedTokens,
  issueTokens,
  refreshTokenOf,
} from './issue-tokens.ts'
import type { Device } from './login.ts'
import type { IdentityDeps } from './ports.ts'

interface Exchanged {
  readonly how: 'rotated' | 'repeated'
  readonly session: Session
  readonly user: User
  /** The grant of this exchange, sealed for the holder of the old token when somebody else came first. */
  readonly grant: Grant | Uint8Array
}

/**
 * Exchanges a refresh token. Comparing and rotating happen in one serialisable unit of work, and the successor is
 * stored in it, sealed for the holder of the presented token. So of all who present one token together exactly one
 * makes the successor, every other is given the same, and an answer lost on its way is given again.
 */
export function createRefresh(deps: IdentityDeps) {
  const { store, tokens, clock, settings, observer } = deps
  return async (token: Secret, device: Omit<Device, 'deviceName'>): Promise<IssuedTokens | IdentityRefusal> => {
    const grant = createGrant(deps)
    const successor = tokens.seal(token, encodeGrant(grant))
    const hash = tokens.hash(token)
    let reused: Session | undefined
    const outcome = await store.write(async (tx): Promise<Exchanged | IdentityRefusal> => {
      reused = undefined
      const nowMs = clock.nowMs()
      const presented = await tx.refreshToken(hash)
      const session = presented && (await tx.sessionById(presented.sessionId))
      const user = session && (await tx.userById(session.userId))
      if (!user) return { refused: 'refresh_unknown' }
      const decision = decideRefresh({ token: presented, session }, { nowMs, policy: settings().session })
      if (isRefusal(decision)) {
        if (decision.refused !== 'refresh_reused') return decision
        reused = session
        await endSessions(tx, [session], { nowMs, reason: 'refresh_reused' })
        return decision
      }
      if (decision.next === 'repeat') {
        await tx.saveSession(decision.session)
        return { how: 'repeated', session: decision.session, user, grant: decision.successor }
      }
      const used = { ...decision.session, ...device }
      await tx.rotateRefreshToken(hash, { atMs: nowMs, successor })
      await tx.insertRefreshToken(refreshTokenOf(deps, { grant, sessionId: used.sessionId }))
      await tx.saveSession(used)
      return { how: 'rotated', session: used, user, grant }
    })
    observer.count('refresh', isRefusal(outcome) ? outcome.refused : outcome.how)
    if (reused) observer.reused(reused)
    if (isRefusal(outcome)) return outcome
    const given = outcome.grant instanceof Uint8Array ? decodeGrant(tokens.open(token, outcome.grant)) : outcome.grant
    return issueTokens(deps, { ...outcome, grant: given })
  }
}
