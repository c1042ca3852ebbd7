import type { Secret } from '@plinth/base'
import { normalizeEmail } from '../domain/email.ts'
import { type IdentityRefusal, isRefusal } from '../domain/refusals.ts'
import { changeUser } from '../domain/user.ts'
import { verificationMail } from './mails.ts'
import type { IdentityDeps } from './ports.ts'
import { mayMail } from './register.ts'

type Done = Record<never, never>

/** Confirms an address. The same token again confirms it again. */
export function createVerifyEmail({ store, tokens, clock, observer }: IdentityDeps) {
  return async (token: Secret): Promise<Done | IdentityRefusal> => {
    const nowMs = clock.nowMs()
    const hash = tokens.hash(token)
    const outcome = await store.write(async (tx): Promise<Done | IdentityRefusal> => {
      const verification = await tx.verification(hash)
      const user = verification && (await tx.userById(verification.userId))
      if (!verification || !user || verification.expiresAtMs <= nowMs) return { refused: 'verification_invalid' }
      if (verification.usedAtMs !== undefined) return {}
      await tx.markVerified(hash, nowMs)
      if (user.isVerified) return {}
      await tx.saveUser(changeUser(user, { change: { isVerified: true }, nowMs }))
      await tx.announce([{ type: 'user_verified', userId: user.userId, atMs: nowMs }])
      return {}
    })
    observer.count('verify', isRefusal(outcome) ? outcome.refused : 'verified')
    return outcome
  }
}

/** Mails another token if an account waits for one; the caller never learns whether. */
export function createResendVerification({ store, tokens, clock, mail, settings }: IdentityDeps) {
  return async (address: string): Promise<Done | IdentityRefusal> => {
    const email = normalizeEmail(address)
    if (isRefusal(email)) return email
    const nowMs = clock.nowMs()
    const { verificationMs, mailThrottle } = settings()
    const token = tokens.create('ev')
    const isWanted = await store.write(async (tx) => {
      if (!(await mayMail(tx, { email, nowMs, policy: mailThrottle }))) return false
      const user = await tx.userByEmail(email)
      if (!user || user.isVerified) return false
      const { userId } = user
      const expiresAtMs = nowMs + verificationMs
      await tx.insertVerification({ hash: tokens.hash(token), userId, expiresAtMs, usedAtMs: undefined })
      return true
    })
    if (isWanted) mail.post(verificationMail(email, token))
    return {}
  }
}
