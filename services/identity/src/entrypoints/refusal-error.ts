import { type ErrorDetails, type ErrorKind, type FieldViolation, PlatformError } from '@plinth/base'
import { type IdentityRefusal, isRefusal } from '../domain/refusals.ts'
import { etagOf } from '../wire/identity-message.ts'

const faults: Record<IdentityRefusal['refused'], readonly [ErrorKind, string]> = {
  email_invalid: ['invalid', 'Cannot take the address: it is not one of mail'],
  password_weak: ['invalid', 'Cannot take the password: it is too weak'],
  login_locked: ['exhausted', 'Cannot sign in now: there were too many failed attempts'],
  email_taken: ['exists', 'Cannot create the user: the address has an account'],
  user_unknown: ['not_found', 'Cannot find the user'],
  user_changed: ['stale', 'Cannot change the user: somebody else changed it meanwhile'],
  last_operator: ['precondition', 'Cannot do that: nobody else is an operator'],
  refresh_unknown: ['unauthenticated', 'Cannot refresh: the token is not known'],
  session_over: ['unauthenticated', 'Cannot refresh: the session has ended'],
  refresh_reused: ['unauthenticated', 'Cannot refresh: the token was used before, so the session has ended'],
  credentials_wrong: ['unauthenticated', 'Cannot sign in: the address or the password is wrong'],
  email_unverified: ['precondition', 'Cannot sign in: the address is not verified yet'],
  verification_invalid: ['invalid', 'Cannot verify the address: the token is wrong or too old'],
  session_unknown: ['not_found', 'Cannot find the session'],
}

const passwordNeeds = {
  too_short: 'Expected at least 10 characters',
  too_long: 'Expected at most 256 characters',
  like_email: 'Expected something else than the address',
  too_common: 'Expected something that is not among the most used passwords',
  too_uniform: 'Expected at least 4 different characters',
} as const

/**
 * Gives the result, or throws the refusal as a fault of code `identity.<refusal>`. `passwordField` names the field of
 * this method that held the password.
 */
export function orThrow<T>(outcome: T | IdentityRefusal, passwordField = 'password'): T {
  if (!isRefusal(outcome)) return outcome
  const [kind, message] = faults[outcome.refused]
  const wait = outcome.refused === 'login_locked' ? { retryAfterMs: outcome.waitMs } : {}
  const details = detailsOf(outcome, passwordField)
  throw new PlatformError(message, { kind, code: `identity.${outcome.refused}`, details, ...wait })
}

/** The fault of a field that the contract's own rules cannot check. */
export function invalidField(code: string, violation: FieldViolation): PlatformError {
  return new PlatformError(`Cannot accept the request: ${violation.field} is wrong`, {
    kind: 'invalid',
    code: `identity.${code}`,
    details: { violations: [violation] },
  })
}

function detailsOf(refusal: IdentityRefusal, passwordField: string): ErrorDetails {
  switch (refusal.refused) {
    case 'email_invalid':
      return { violations: [{ field: 'email', rule: 'email', message: 'Expected an address of mail' }] }
    case 'password_weak': {
      const { why } = refusal
      return { violations: [{ field: passwordField, rule: `password.${why}`, message: passwordNeeds[why] }] }
    }
    case 'verification_invalid':
      return { violations: [{ field: 'token', rule: 'token', message: 'Expected a token from a mail of ours' }] }
    case 'user_changed':
      return { etag: etagOf(refusal.version) }
    default:
      return {}
  }
}
