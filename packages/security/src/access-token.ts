import { type Clock, Secret } from '@plinth/base'
import { type JWTPayload, SignJWT } from 'jose'
import { createJwtVerifier, tokenRefused } from './internal/jwt-verifier.ts'
import type { KeyRing, KeySource } from './key-ring.ts'
import type { RevocationList } from './revocation-list.ts'

/** What an access token says. */
export interface AccessClaims {
  /** User id (`sub`). */
  readonly subject: string
  /** The session it belongs to (`sid`). */
  readonly sessionId: string
  /** 1 to 32 role names. */
  readonly roles: readonly string[]
  /** Unique id of the token (`jti`). */
  readonly tokenId: string
  /** Whole seconds in the token, so rounded down to one. */
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** Who issues tokens for whom; the signer and its verifiers agree on it. */
export interface TokenRealm {
  /** @default 'plinth' */
  readonly issuer?: string
  /** @default 'plinth' */
  readonly audience?: string
}

/** How a signer signs. */
export interface AccessTokenSignerOptions extends TokenRealm {
  /** Life of a token: 30 s to 24 h. @default 10 minutes */
  readonly lifetimeMs?: number
}

/** Signs access tokens with the key ring's present key. */
export interface AccessTokenSigner {
  readonly lifetimeMs: number
  /**
   * Signs a JWT of the access token profile (RFC 9068: `typ` at+jwt, EdDSA). The same claims under the same key give
   * the same token, byte for byte.
   */
  sign(claims: Omit<AccessClaims, 'expiresAtMs'>): Promise<{ readonly token: Secret; readonly expiresAtMs: number }>
}

const tokenType = 'at+jwt'
const rolesMax = 32
const idCharsMax = 200

/**
 * Makes a signer.
 *
 * @throws RangeError when `lifetimeMs` is out of bounds.
 */
export function createAccessTokenSigner(
  deps: { readonly keys: Pick<KeyRing, 'signingKey'> },
  options: AccessTokenSignerOptions = {},
): AccessTokenSigner {
  const { issuer = 'plinth', audience = 'plinth', lifetimeMs = 600_000 } = options
  if (!(lifetimeMs >= 30_000 && lifetimeMs <= 86_400_000)) {
    throw new RangeError(`Cannot sign tokens: lifetimeMs is from 30000 to 86400000, received ${lifetimeMs}`)
  }
  return {
    lifetimeMs,
    async sign({ subject, sessionId, roles, tokenId, issuedAtMs }) {
      const iat = Math.floor(issuedAtMs / 1000)
      const exp = iat + Math.floor(lifetimeMs / 1000)
      const { kid, key } = deps.keys.signingKey()
      const payload = {
        iss: issuer,
        aud: audience,
        sub: subject,
        client_id: audience,
        sid: sessionId,
        jti: tokenId,
        roles,
        iat,
        exp,
      }
      const token = await new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', typ: tokenType, kid }).sign(key)
      return { token: new Secret(token), expiresAtMs: exp * 1000 }
    },
  }
}

/** What a verifier accepts and how much it remembers. */
export interface TokenVerifierOptions extends TokenRealm {
  /** How far clocks may differ: 0 to 5 minutes. @default 5000 */
  readonly skewMs?: number
  /** Longest token looked at. @default 4096 */
  readonly tokenCharsMax?: number
  /** Verified tokens remembered until they expire: 1 to 1,000,000, about 1.5 KiB each. @default 10000 */
  readonly cacheMax?: number
}

/**
 * Verifies tokens. A token seen before costs a map lookup instead of about 250 us for the signature, and the answer
 * then comes without a promise.
 *
 * Throws, or rejects with, a PlatformError of kind unauthenticated: `security.token_malformed`,
 * `security.token_invalid` (signature, issuer, audience, type, algorithm, claims), `security.token_expired`,
 * `security.key_unknown`, `security.token_revoked`.
 */
export interface TokenVerifier<Claims> {
  verify(token: string): Claims | Promise<Claims>
  /** The claims if this token was verified before; never does work. @throws `security.token_revoked` */
  peek(token: string): Claims | undefined
}

/**
 * Makes a verifier of access tokens: EdDSA alone, `typ` at+jwt alone, issuer and audience exact.
 *
 * @throws RangeError when an option is out of bounds.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { systemClock } from '@plinth/base'
 * import { createAccessTokenSigner, createAccessTokenVerifier, createMemoryKeyStore, openKeyRing } from '@plinth/security'
 *
 * await using keys = await openKeyRing({ store: createMemoryKeyStore(), clock: systemClock })
 * const signer = createAccessTokenSigner({ keys })
 * const verifier = createAccessTokenVerifier({ keys, clock: systemClock })
 * const issuedAtMs = systemClock.nowMs()
 * const { token } = await signer.sign({ subject: 'u', sessionId: 's', roles: ['customer'], tokenId: 't', issuedAtMs })
 * assert.equal((await verifier.verify(token.reveal())).subject, 'u')
 * ```
 */
export function createAccessTokenVerifier(
  deps: { readonly keys: KeySource; readonly clock: Clock; readonly revocations?: Pick<RevocationList, 'refuses'> },
  options: TokenVerifierOptions = {},
): TokenVerifier<AccessClaims> {
  const { revocations } = deps
  const verifier = createJwtVerifier<AccessClaims>(deps.clock, {
    ...resolveTokenVerifierOptions(options),
    algorithm: 'EdDSA',
    type: tokenType,
    keysVersion: () => deps.keys.version,
    getKey: async ({ kid }) => {
      const key = typeof kid === 'string' && kid.length <= idCharsMax ? await deps.keys.find(kid) : undefined
      if (!key) throw tokenRefused('key_unknown', 'its key is not known')
      return key
    },
    read: readAccessClaims,
  })

  function live(claims: AccessClaims): AccessClaims {
    if (revocations?.refuses(claims.sessionId, claims.issuedAtMs)) {
      throw tokenRefused('token_revoked', 'its session has ended')
    }
    return claims
  }

  function peek(token: string): AccessClaims | undefined {
    const claims = verifier.peek(token)
    return claims && live(claims)
  }

  return { peek, verify: (token) => peek(token) ?? verifier.verify(token).then(live) }
}

/** Fills in what is missing and checks the rest. @throws RangeError naming everything that is out of bounds. */
export function resolveTokenVerifierOptions(options: TokenVerifierOptions): Required<TokenVerifierOptions> {
  const resolved = {
    issuer: 'plinth',
    audience: 'plinth',
    skewMs: 5000,
    tokenCharsMax: 4096,
    cacheMax: 10_000,
    ...options,
  }
  const problems: string[] = []
  if (!(resolved.skewMs >= 0 && resolved.skewMs <= 300_000)) problems.push('skewMs is from 0 to 300000')
  if (!(resolved.tokenCharsMax >= 256 && resolved.tokenCharsMax <= 65_536)) {
    problems.push('tokenCharsMax is from 256 to 65536')
  }
  if (!(resolved.cacheMax >= 1 && resolved.cacheMax <= 1_000_000)) problems.push('cacheMax is from 1 to 1000000')
  if (problems.length > 0) throw new RangeError(`Cannot verify tokens: ${problems.join('; ')}`)
  return Object.freeze(resolved)
}

function readAccessClaims({ sub, sid, roles, jti, iat, exp }: JWTPayload): AccessClaims | undefined {
  if (!isId(sub) || !isId(sid) || !isId(jti) || !isTime(iat) || !isTime(exp)) return undefined
  if (!Array.isArray(roles) || roles.length < 1 || roles.length > rolesMax || !roles.every(isId)) return undefined
  return Object.freeze({
    subject: sub,
    sessionId: sid,
    roles: Object.freeze([...roles]),
    tokenId: jti,
    issuedAtMs: iat * 1000,
    expiresAtMs: exp * 1000,
  })
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= idCharsMax
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 8.64e12
}
