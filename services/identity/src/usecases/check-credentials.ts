import type { Secret } from '@plinth/base'
import { type IdentityRefusal, isRefusal } from '../domain/refusals.ts'
import { charge, refund, type ThrottlePolicy } from '../domain/throttle.ts'
import type { User } from '../domain/user.ts'
import type { IdentityDeps, IdentityReader, IdentityWriter } from './ports.ts'

/** One thing that is throttled, with its policy. */
export interface ThrottleRule {
  readonly key: string
  readonly policy: ThrottlePolicy
}

export interface CheckedPassword {
  readonly user: User
  readonly needsRehash: boolean
  /** Takes the charges back. To be called inside the unit of work that makes use of the password. */
  settle(tx: IdentityWriter): Promise<void>
}

/**
 * Checks a password against the throttles and the account, in the same steps and the same time whether there is an
 * account or not. The attempt counts as failed from before the check until it is settled, so a burst of guesses is
 * stopped like a row of them.
 */
export function createPasswordCheck(deps: Pick<IdentityDeps, 'store' | 'passwords' | 'clock'>) {
  const { store, passwords, clock } = deps

  /** Charges all rules or none. */
  async function chargeAll(tx: IdentityWriter, rules: readonly ThrottleRule[]): Promise<IdentityRefusal | undefined> {
    const nowMs = clock.nowMs()
    const charged = []
    for (const { key, policy } of rules) {
      const outcome = charge(await tx.throttle(key), { nowMs, policy })
      if (isRefusal(outcome)) return outcome
      charged.push([key, outcome] as const)
    }
    for (const [key, state] of charged) await tx.saveThrottle(key, state)
    return undefined
  }

  async function refundAll(tx: IdentityWriter, rules: readonly ThrottleRule[]): Promise<void> {
    for (const { key } of rules) await tx.saveThrottle(key, refund(await tx.throttle(key)))
  }

  return async (
    password: Secret,
    attempt: {
      readonly find: (tx: IdentityReader) => Promise<User | undefined>
      /** Forgotten altogether when the password is right. */
      readonly account: ThrottleRule
      /** Only taken back then: a right password says nothing about the other attempts from there. */
      readonly address: ThrottleRule | undefined
    },
  ): Promise<CheckedPassword | IdentityRefusal> => {
    const others = attempt.address ? [attempt.address] : []
    const rules = [attempt.account, ...others]
    const begun = await store.write(async (tx) => {
      const refusal = await chargeAll(tx, rules)
      return refusal ?? { user: await attempt.find(tx) }
    })
    if (isRefusal(begun)) return begun
    let check: Awaited<ReturnType<typeof passwords.verify>>
    try {
      check = await passwords.verify(password, begun.user?.passwordHash)
    } catch (error) {
      // The password was never looked at (too many wait), so this was no guess.
      await store.write((tx) => refundAll(tx, rules))
      throw error
    }
    if (!begun.user || !check.matches) return { refused: 'credentials_wrong' }
    return {
      user: begun.user,
      needsRehash: check.needsRehash,
      async settle(tx) {
        await tx.saveThrottle(attempt.account.key, undefined)
        await refundAll(tx, others)
      },
    }
  }
}
