import type { Email } from './email.ts'

const roles = ['customer', 'operator'] as const
export type Role = (typeof roles)[number]

/** An account. */
export interface User {
  readonly userId: string
  readonly email: Email
  readonly isVerified: boolean
  readonly displayName: string
  /** At least one, sorted. */
  readonly roles: readonly Role[]
  /** A PHC string. */
  readonly passwordHash: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Grows by one with every change. */
  readonly version: number
}

/** What may be changed by itself. */
export interface UserChange {
  readonly displayName?: string
  readonly isVerified?: boolean
  readonly passwordHash?: string
  readonly roles?: readonly Role[]
}

export type UserRefusal =
  | { readonly refused: 'email_taken' }
  | { readonly refused: 'user_unknown' }
  | { readonly refused: 'user_changed'; readonly version: number }
  | { readonly refused: 'last_operator' }

/** The user after the change. One that changes nothing is the same object, version and all. */
export function changeUser(
  user: User,
  { change, nowMs }: { readonly change: UserChange; readonly nowMs: number },
): User {
  const changed = { ...user, ...change, ...(change.roles && { roles: sortRoles(change.roles) }) }
  const isSame =
    changed.displayName === user.displayName &&
    changed.isVerified === user.isVerified &&
    changed.passwordHash === user.passwordHash &&
    changed.roles.join() === user.roles.join()
  return isSame ? user : { ...changed, updatedAtMs: nowMs, version: user.version + 1 }
}

/** Refuses to leave the house without an operator: nobody could ever make another one. */
export function keepOperator(
  user: User,
  { rolesNext, operators }: { readonly rolesNext: readonly Role[]; readonly operators: number },
): UserRefusal | undefined {
  const steps = user.roles.includes('operator') && !rolesNext.includes('operator')
  return steps && operators <= 1 ? { refused: 'last_operator' } : undefined
}

export function sortRoles(given: readonly Role[]): readonly Role[] {
  const wanted = new Set(given)
  return roles.filter((role) => wanted.has(role))
}
