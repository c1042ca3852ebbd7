import type { Secret } from '@plinth/base'
import { normalizeEmail } from '../domain/email.ts'
import { userRegistered } from '../domain/events.ts'
import { checkPassword } from '../domain/password-policy.ts'
import { type IdentityRefusal, isRefusal } from '../domain/refusals.ts'
import { changeUser, keepOperator, type Role, sortRoles, type User, type UserChange } from '../domain/user.ts'
import { endSessions } from './end-sessions.ts'
import type { Command, IdentityDeps, IdentityWriter, UserQuery } from './ports.ts'
import { accountKey } from './throttle-keys.ts'

export interface NewUser {
  readonly email: string
  readonly password: Secret
  readonly displayName: string
  readonly roles: readonly Role[]
}

export interface CreateUserOptions {
  readonly command: Command | undefined
  /** How the answer is kept for repeats of the command; it must hold no secret. */
  readonly encode: (user: User) => Uint8Array
}

/** Makes an account that is verified from the start. Answers what `encode` made of it, now or the first time. */
export function createCreateUser({ store, passwords, clock, ids }: IdentityDeps) {
  return async (wanted: NewUser, { command, encode }: CreateUserOptions): Promise<Uint8Array | IdentityRefusal> => {
    const email = normalizeEmail(wanted.email)
    if (isRefusal(email)) return email
    const weak = checkPassword(wanted.password.reveal(), email)
    if (weak) return weak
    const passwordHash = await passwords.hash(wanted.password)
    const nowMs = clock.nowMs()
    const user: User = {
      userId: ids.next(),
      email,
      isVerified: true,
      displayName: wanted.displayName,
      roles: sortRoles(wanted.roles),
      passwordHash,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      version: 1,
    }
    return refusable((refuse) =>
      store.write(async (tx) => {
        const create = async () => {
          if (await tx.userByEmail(email)) refuse({ refused: 'email_taken' })
          await tx.insertUser(user)
          await tx.announce([userRegistered(user)])
          return encode(user)
        }
        return await (command ? tx.once(command, create) : create())
      }),
    )
  }
}

export function createGetUser({ store }: IdentityDeps) {
  return async (userId: string): Promise<User | IdentityRefusal> =>
    (await store.read((tx) => tx.userById(userId))) ?? { refused: 'user_unknown' }
}

export function createListUsers({ store }: IdentityDeps) {
  return (query: UserQuery): Promise<readonly User[]> => store.read((tx) => tx.listUsers(query))
}

export interface UserUpdate {
  readonly userId: string
  readonly change: Pick<UserChange, 'displayName' | 'isVerified'>
  /** Change only this version. */
  readonly version: number | undefined
}

export function createUpdateUser({ store, clock }: IdentityDeps) {
  return (update: UserUpdate): Promise<User | IdentityRefusal> =>
    store.write(async (tx): Promise<User | IdentityRefusal> => {
      const user = await findVersion(tx, update)
      if (isRefusal(user)) return user
      const nowMs = clock.nowMs()
      const changed = changeUser(user, { change: update.change, nowMs })
      if (changed === user) return user
      await tx.saveUser(changed)
      if (changed.isVerified && !user.isVerified) {
        await tx.announce([{ type: 'user_verified', userId: user.userId, atMs: nowMs }])
      }
      return changed
    })
}

export interface UserDeletion {
  readonly userId: string
  readonly version: number | undefined
}

export function createDeleteUser({ store, clock }: IdentityDeps) {
  return (deletion: UserDeletion, command: Command | undefined): Promise<Record<never, never> | IdentityRefusal> =>
    refusable((refuse) =>
      store.write(async (tx) => {
        const remove = async () => {
          const user = await findVersion(tx, deletion)
          if (isRefusal(user)) return refuse(user)
          const needed = keepOperator(user, { rolesNext: [], operators: await tx.countOperators() })
          if (needed) return refuse(needed)
          const nowMs = clock.nowMs()
          await endSessions(tx, await tx.liveSessions(user.userId, nowMs), { nowMs, reason: 'user_deleted' })
          await tx.deleteUser(user.userId)
          await tx.saveThrottle(accountKey(user.email), undefined)
          await tx.announce([{ type: 'user_deleted', userId: user.userId, atMs: nowMs }])
          return new Uint8Array()
        }
        await (command ? tx.once(command, remove) : remove())
        return {}
      }),
    )
}

/** Replaces the roles of a user. A change ends all sessions, so that no token with the old roles lives on. */
export function createSetRoles({ store, clock }: IdentityDeps) {
  return (userId: string, rolesNext: readonly Role[]): Promise<User | IdentityRefusal> =>
    store.write(async (tx): Promise<User | IdentityRefusal> => {
      const user = await tx.userById(userId)
      if (!user) return { refused: 'user_unknown' }
      const needed = keepOperator(user, { rolesNext, operators: await tx.countOperators() })
      if (needed) return needed
      const nowMs = clock.nowMs()
      const changed = changeUser(user, { change: { roles: rolesNext }, nowMs })
      if (changed === user) return user
      await tx.saveUser(changed)
      await tx.announce([{ type: 'roles_changed', userId, roles: changed.roles, atMs: nowMs }])
      await endSessions(tx, await tx.liveSessions(userId, nowMs), { nowMs, reason: 'roles_changed' })
      return changed
    })
}

export function createUnlockUser({ store }: IdentityDeps) {
  return (userId: string): Promise<User | IdentityRefusal> =>
    store.write(async (tx): Promise<User | IdentityRefusal> => {
      const user = await tx.userById(userId)
      if (!user) return { refused: 'user_unknown' }
      await tx.saveThrottle(accountKey(user.email), undefined)
      return user
    })
}

async function findVersion(tx: IdentityWriter, wanted: UserDeletion): Promise<User | IdentityRefusal> {
  const user = await tx.userById(wanted.userId)
  if (!user) return { refused: 'user_unknown' }
  const isCurrent = wanted.version === undefined || wanted.version === user.version
  return isCurrent ? user : { refused: 'user_changed', version: user.version }
}

/** Carries a refusal out of a unit of work that must not commit, not even the key of the command. */
class Refused extends Error {
  readonly refusal: IdentityRefusal

  constructor(refusal: IdentityRefusal) {
    super('refused')
    this.refusal = refusal
  }
}

async function refusable<T>(
  work: (refuse: (refusal: IdentityRefusal) => never) => Promise<T>,
): Promise<T | IdentityRefusal> {
  try {
    return await work((refusal) => {
      throw new Refused(refusal)
    })
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}
