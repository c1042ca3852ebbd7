import type { Secret } from '@plinth/base'
import { normalizeEmail } from '../domain/email.ts'
import { type IdentityRefusal, isRefusal } from '../domain/refusals.ts'
import { displacedBy, type Session } from '../domain/session.ts'
import { changeUser, type User } from '../domain/user.ts'
import { createPasswordCheck } from './check-credentials.ts'
import { endSessions } from './end-sessions.ts'
import { createGrant, type IssuedTokens, issueTokens, refreshTokenOf } from './issue-tokens.ts'
import type { IdentityDeps, Settings } from './ports.ts'
import { accountKey, addressKey } from './throttle-keys.ts'

/** Where a call comes from. */
export interface Device {
  readonly deviceName: string
  readonly userAgent: string
  /** Network address without the port; empty inside the process. */
  readonly address: string
}

/** Opens a session for whoever knows the password. */
export function createLogin(deps: IdentityDeps) {
  const { store, passwords, clock, ids, settings, observer } = deps
  const checkPassword = createPasswordCheck(deps)

  async function login(address: string, password: Secret, device: Device): Promise<IssuedTokens | IdentityRefusal> {
    const email = normalizeEmail(address)
    const { accountThrottle, addressThrottle, verification } = settings()
    const from = addressKey(device.address)
    const checked = await checkPassword(password, {
      find: async (tx) => (isRefusal(email) ? undefined : tx.userByEmail(email)),
      account: { key: accountKey(isRefusal(email) ? address : email), policy: accountThrottle },
      address: from === undefined ? undefined : { key: from, policy: addressThrottle },
    })
    if (isRefusal(checked)) return checked
    const { user } = checked
    if (!user.isVerified && verification === 'required') {
      await store.write((tx) => checked.settle(tx))
      return { refused: 'email_unverified' }
    }
    const rehashed = checked.needsRehash ? await passwords.hash(password) : undefined
    const session = newSession(user, { sessionId: ids.next(), nowMs: clock.nowMs(), device, settings: settings() })
    const grant = createGrant(deps)
    const refusal = await store.write(async (tx): Promise<IdentityRefusal | undefined> => {
      const present = await tx.userById(user.userId)
      // The password that was right is no longer the password, or the account is gone.
      if (present?.passwordHash !== user.passwordHash) return { refused: 'credentials_wrong' }
      await checked.settle(tx)
      const nowMs = session.createdAtMs
      if (rehashed) await tx.saveUser(changeUser(present, { change: { passwordHash: rehashed }, nowMs }))
      const displaced = displacedBy(await tx.liveSessions(user.userId, nowMs), settings().sessionsMax)
      await endSessions(tx, displaced, { nowMs, reason: 'displaced' })
      await tx.insertSession(session)
      await tx.insertRefreshToken(refreshTokenOf(deps, { grant, sessionId: session.sessionId }))
      const { userId, sessionId } = session
      await tx.announce([{ type: 'session_started', userId, sessionId, atMs: nowMs }])
      return undefined
    })
    return refusal ?? issueTokens(deps, { grant, session, user })
  }

  return async (
    credentials: { readonly email: string; readonly password: Secret },
    device: Device,
  ): Promise<IssuedTokens | IdentityRefusal> => {
    const outcome = await login(credentials.email, credentials.password, device)
    observer.count('login', isRefusal(outcome) ? outcome.refused : 'opened')
    return outcome
  }
}

function newSession(
  { userId }: User,
  opened: { readonly sessionId: string; readonly nowMs: number; readonly device: Device; readonly settings: Settings },
): Session {
  const { sessionId, nowMs, device, settings } = opened
  return {
    sessionId,
    userId,
    ...device,
    createdAtMs: nowMs,
    lastUsedAtMs: nowMs,
    idleUntilMs: nowMs + settings.session.idleMs,
    endsAtMs: nowMs + settings.session.lifetimeMs,
    rotations: 0,
    repeats: 0,
    revokedAtMs: undefined,
    revokedFor: undefined,
  }
}
