import { Secret } from '@plinth/base'
import { normalizeEmail } from '../domain/email.ts'
import { userRegistered } from '../domain/events.ts'
import { isRefusal } from '../domain/refusals.ts'
import type { User } from '../domain/user.ts'
import type { IdentityDeps, OperatorCredentials } from './ports.ts'

export interface EnsureOperatorOptions {
  readonly email: string
  /**
   * Keeps the credentials where only the owner of this machine finds them, durably. Called before the account is
   * made: a crash in between leaves credentials without an account, and the next call replaces them.
   */
  readonly keep: (credentials: OperatorCredentials) => Promise<void>
}

/** Makes the first operator, with a password nobody chose, if there is none. Answers whether it did. */
export function createEnsureOperator({ store, passwords, tokens, clock, ids }: IdentityDeps) {
  return async ({ email: address, keep }: EnsureOperatorOptions): Promise<{ readonly created: boolean }> => {
    if ((await store.read((tx) => tx.countOperators())) > 0) return { created: false }
    const email = normalizeEmail(address)
    if (isRefusal(email)) throw new TypeError('Cannot make an operator: the address is not one of mail')
    // 192 random bits are plenty, and the result can still be typed.
    const password = new Secret(tokens.create('rt').reveal().slice(3, 35))
    const passwordHash = await passwords.hash(password)
    await keep({ email, password })
    const nowMs = clock.nowMs()
    const facts = { isVerified: true, displayName: 'Operator', roles: ['operator'], passwordHash } as const
    const fresh: User = { userId: ids.next(), email, ...facts, createdAtMs: nowMs, updatedAtMs: nowMs, version: 1 }
    return store.write(async (tx) => {
      // Another process may have been quicker; its file holds the password that counts.
      if ((await tx.countOperators()) > 0) return { created: false }
      const present = await tx.userByEmail(email)
      if (present) {
        await tx.saveUser({ ...present, ...facts, updatedAtMs: nowMs, version: present.version + 1 })
      } else {
        await tx.insertUser(fresh)
        await tx.announce([userRegistered(fresh)])
      }
      return { created: true }
    })
  }
}
