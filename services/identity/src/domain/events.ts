import type { Session } from './session.ts'
import type { Role, User } from './user.ts'

/** What happened, as others may know it. */
export type IdentityEvent =
  | {
      readonly type: 'user_registered'
      readonly userId: string
      readonly roles: readonly Role[]
      readonly atMs: number
    }
  | { readonly type: 'user_verified'; readonly userId: string; readonly atMs: number }
  | { readonly type: 'session_started'; readonly userId: string; readonly sessionId: string; readonly atMs: number }
  | {
      readonly type: 'session_revoked'
      readonly userId: string
      readonly sessionId: string
      readonly reason: NonNullable<Session['revokedFor']>
      readonly atMs: number
    }
  | { readonly type: 'user_deleted'; readonly userId: string; readonly atMs: number }
  | { readonly type: 'roles_changed'; readonly userId: string; readonly roles: readonly Role[]; readonly atMs: number }

export function userRegistered(user: User): IdentityEvent {
  return { type: 'user_registered', userId: user.userId, roles: user.roles, atMs: user.createdAtMs }
}
