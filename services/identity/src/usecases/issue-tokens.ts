import { Secret } from '@plinth/base'
import type { RefreshToken, Session } from '../domain/session.ts'
import type { User } from '../domain/user.ts'
import type { IdentityDeps } from './ports.ts'

/** What a client gets when it signs in and whenever it refreshes. */
export interface IssuedTokens {
  readonly accessToken: Secret
  readonly accessExpiresAtMs: number
  readonly refreshToken: Secret
  readonly refreshExpiresAtMs: number
  readonly sessionId: string
  readonly userId: string
}

/**
 * A refresh token with all that the rest of its answer follows from. Sealed into the row of its predecessor, it lets
 * the answer be given again byte for byte.
 */
export interface Grant {
  readonly refreshToken: Secret
  readonly tokenId: string
  readonly issuedAtMs: number
}

type TokenDeps = Pick<IdentityDeps, 'tokens' | 'ids' | 'access' | 'clock' | 'settings'>

/** Makes a grant outside any unit of work, so that a unit that runs again uses the same one. */
export function createGrant({ tokens, ids, clock }: Pick<TokenDeps, 'tokens' | 'ids' | 'clock'>): Grant {
  return { refreshToken: tokens.create('rt'), tokenId: ids.next(), issuedAtMs: clock.nowMs() }
}

/** The row of the grant's refresh token. */
export function refreshTokenOf(
  { tokens }: Pick<TokenDeps, 'tokens'>,
  { grant, sessionId }: { readonly grant: Grant; readonly sessionId: string },
): Pick<RefreshToken, 'hash' | 'sessionId' | 'issuedAtMs'> {
  return { hash: tokens.hash(grant.refreshToken), sessionId, issuedAtMs: grant.issuedAtMs }
}

/** Signs the access token of a grant. One grant and one set of roles give one answer. */
export async function issueTokens(
  { access, settings }: Pick<TokenDeps, 'access' | 'settings'>,
  { grant, session, user }: { readonly grant: Grant; readonly session: Session; readonly user: User },
): Promise<IssuedTokens> {
  const { tokenId, issuedAtMs, refreshToken } = grant
  const { sessionId, userId } = session
  const signed = await access.sign({ subject: userId, sessionId, roles: user.roles, tokenId, issuedAtMs })
  return {
    accessToken: signed.token,
    accessExpiresAtMs: signed.expiresAtMs,
    refreshToken,
    // From the grant, not from the session: that may have been used again by the time this answer is repeated.
    refreshExpiresAtMs: Math.min(issuedAtMs + settings().session.idleMs, session.endsAtMs),
    sessionId,
    userId,
  }
}

export function encodeGrant({ refreshToken, tokenId, issuedAtMs }: Grant): Uint8Array {
  return Buffer.from(`${refreshToken.reveal()} ${tokenId} ${issuedAtMs}`)
}

export function decodeGrant(bytes: Uint8Array): Grant {
  const [refreshToken = '', tokenId = '', issuedAtMs = ''] = Buffer.from(bytes).toString('latin1').split(' ')
  return { refreshToken: new Secret(refreshToken), tokenId, issuedAtMs: Number(issuedAtMs) }
}
