import type { EmailRefusal } from './email.ts'
import type { PasswordRefusal } from './password-policy.ts'
import type { RefreshRefusal } from './session.ts'
import type { ThrottleRefusal } from './throttle.ts'
import type { UserRefusal } from './user.ts'

/** Everything this service says no to. */
export type IdentityRefusal =
  | EmailRefusal
  | PasswordRefusal
  | ThrottleRefusal
  | UserRefusal
  | RefreshRefusal
  | { readonly refused: 'credentials_wrong' }
  | { readonly refused: 'email_unverified' }
  | { readonly refused: 'verification_invalid' }
  | { readonly refused: 'session_unknown' }

export function isRefusal<T>(outcome: T | IdentityRefusal): outcome is IdentityRefusal {
  return typeof outcome === 'object' && outcome !== null && 'refused' in outcome
}
