import type { Secret } from '@plinth/base'
import { type Email, normalizeEmail } from '../domain/email.ts'
import { userRegistered } from '../domain/events.ts'
import { checkPassword } from '../domain/password-policy.ts'
import { type IdentityRefusal, isRefusal } from '../domain/refusals.ts'
import { charge } from '../domain/throttle.ts'
import { changeUser, type User } from '../domain/user.ts'
import { alreadyRegisteredMail, verificationMail } from './mails.ts'
import type { IdentityDeps, IdentityWriter, Mail } from './ports.ts'
import { mailKey } from './throttle-keys.ts'

export interface Registration {
  readonly email: string
  readonly password: Secret
  readonly displayName: string
}

/**
 * Opens an account that waits for its address to be verified. Whoever asks for an address that is taken gets the same
 * answer after the same work; its owner gets a mail.
 *
 * An account that was never verified belongs to nobody yet: a new registration replaces its password and voids the
 * links mailed before.
 */
export function createRegister(deps: IdentityDeps) {
  return async (registration: Registration): Promise<{ readonly verificationRequired: boolean } | IdentityRefusal> => {
    const { settings, clock, ids, tokens, store, passwords } = deps
    const { verification, verificationMs, mailThrottle } = settings()
    const email = normalizeEmail(registration.email)
    if (isRefusal(email)) return email
    const weak = checkPassword(registration.password.reveal(), email)
    if (weak) return weak
    const passwordHash = await passwords.hash(registration.password)
    const nowMs = clock.nowMs()
    const token = tokens.create('ev')
    const newcomer: User = {
      userId: ids.next(),
      email,
      isVerified: false,
      displayName: registration.displayName,
      roles: ['customer'],
      passwordHash,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      version: 1,
    }
    const mail = await store.write(async (tx): Promise<Mail | undefined> => {
      if (!(await mayMail(tx, { email, nowMs, policy: mailThrottle }))) return undefined
      const present = await tx.userByEmail(email)
      if (present && (present.isVerified || verification === 'optional')) return alreadyRegisteredMail(email)
      if (present) {
        const change = { passwordHash, displayName: registration.displayName }
        await tx.saveUser(changeUser(present, { change, nowMs }))
        await tx.dropVerifications(present.userId)
      } else {
        await tx.insertUser(newcomer)
        await tx.announce([userRegistered(newcomer)])
      }
      const { userId } = present ?? newcomer
      await tx.insertVerification({
        hash: tokens.hash(token),
        userId,
        expiresAtMs: nowMs + verificationMs,
        usedAtMs: undefined,
      })
      return verificationMail(email, token)
    })
    if (mail) deps.mail.post(mail)
    deps.observer.count('register', mail ? 'accepted' : 'throttled')
    return { verificationRequired: verification === 'required' }
  }
}

/** Whether another mail may go to this address now; if so it is counted. */
export async function mayMail(
  tx: IdentityWriter,
  {
    email,
    nowMs,
    policy,
  }: { readonly email: Email; readonly nowMs: number; readonly policy: Parameters<typeof charge>[1]['policy'] },
): Promise<boolean> {
  const key = mailKey(email)
  const charged = charge(await tx.throttle(key), { nowMs, policy })
  if (isRefusal(charged)) return false
  await tx.saveThrottle(key, charged)
  return true
}
