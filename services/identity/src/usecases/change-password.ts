import type { Secret } from '@plinth/base'
import { checkPassword as checkPolicy } from '../domain/password-policy.ts'
import { type IdentityRefusal, isRefusal } from '../domain/refusals.ts'
import { changeUser } from '../domain/user.ts'
import { createPasswordCheck } from './check-credentials.ts'
import { endSessions } from './end-sessions.ts'
import type { IdentityDeps } from './ports.ts'
import { accountKey } from './throttle-keys.ts'

export interface PasswordChange {
  readonly userId: string
  /** The session that asks; it goes on, all others end. */
  readonly sessionId: string | undefined
  readonly current: Secret
  readonly next: Secret
}

/** Sets a new password for whoever knows the old one. Guessing is throttled as at the login. */
export function createChangePassword(deps: IdentityDeps) {
  const { store, passwords, clock, settings } = deps
  const checkPassword = createPasswordCheck(deps)
  return async (asked: PasswordChange): Promise<Record<never, never> | IdentityRefusal> => {
    const user = await store.read((tx) => tx.userById(asked.userId))
    if (!user) return { refused: 'user_unknown' }
    const weak = checkPolicy(asked.next.reveal(), user.email)
    if (weak) return weak
    const checked = await checkPassword(asked.current, {
      find: (tx) => tx.userById(user.userId),
      account: { key: accountKey(user.email), policy: settings().accountThrottle },
      address: undefined,
    })
    if (isRefusal(checked)) return checked
    const passwordHash = await passwords.hash(asked.next)
    return store.write(async (tx): Promise<Record<never, never> | IdentityRefusal> => {
      const present = await tx.userById(user.userId)
      if (present?.passwordHash !== checked.user.passwordHash) return { refused: 'credentials_wrong' }
      const nowMs = clock.nowMs()
      await checked.settle(tx)
      await tx.saveUser(changeUser(present, { change: { passwordHash }, nowMs }))
      const sessions = await tx.liveSessions(user.userId, nowMs)
      const others = sessions.filter(({ sessionId }) => sessionId !== asked.sessionId)
      await endSessions(tx, others, { nowMs, reason: 'password_changed' })
      return {}
    })
  }
}
