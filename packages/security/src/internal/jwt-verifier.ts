import { type Clock, PlatformError } from '@plinth/base'
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { createExpiringLru } from './expiring-lru.ts'

/** What both kinds of token are checked for, and how the outcome is remembered. */
export interface JwtVerifierOptions<Claims> {
  readonly algorithm: 'EdDSA' | 'HS256'
  readonly type: string
  readonly issuer: string
  readonly audience: string
  readonly skewMs: number
  readonly tokenCharsMax: number
  readonly cacheMax: number
  /** Changes when tokens verified before may no longer be valid. */
  readonly keysVersion: () => number
  readonly getKey: JWTVerifyGetKey
  /** Reads the claims; undefined when one is missing or of the wrong type. */
  readonly read: (payload: JWTPayload) => Claims | undefined
}

export interface VerifiedClaims {
  readonly expiresAtMs: number
}

export interface JwtVerifier<Claims> {
  /** The claims if this very token was verified before and has not expired. */
  peek(token: string): Claims | undefined
  verify(token: string): Promise<Claims>
}

// Three parts of base64url; jose would take less and say more about it than a stranger needs.
const compactPattern = /^[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}$/

export function createJwtVerifier<Claims extends VerifiedClaims>(
  clock: Clock,
  options: JwtVerifierOptions<Claims>,
): JwtVerifier<Claims> {
  const cache = createExpiringLru<Claims>(options.cacheMax)
  const underWay = new Map<string, Promise<Claims>>()
  let keysVersion = options.keysVersion()

  async function verifyAnew(token: string): Promise<Claims> {
    const { payload } = await jwtVerify(token, options.getKey, {
      algorithms: [options.algorithm],
      typ: options.type,
      issuer: options.issuer,
      audience: options.audience,
      clockTolerance: options.skewMs / 1000,
      currentDate: new Date(clock.nowMs()),
      requiredClaims: ['sub', 'jti', 'iat', 'exp'],
    }).catch((error: unknown) => {
      throw refusalOf(error)
    })
    const claims = options.read(payload)
    const isFromFuture = (payload.iat as number) * 1000 > clock.nowMs() + options.skewMs
    if (!claims || isFromFuture) throw tokenRefused('token_invalid', 'its claims are not those of such a token')
    cache.set(token, claims, claims.expiresAtMs + options.skewMs)
    return claims
  }

  return {
    peek(token) {
      if (keysVersion !== options.keysVersion()) {
        keysVersion = options.keysVersion()
        cache.clear()
      }
      return cache.get(token, clock.nowMs())
    },
    verify(token) {
      if (token.length > options.tokenCharsMax || !compactPattern.test(token) || !isSignatureCanonical(token)) {
        return Promise.reject(tokenRefused('token_malformed', 'it is not a signed token of allowed length'))
      }
      const known = underWay.get(token)
      if (known) return known
      const verifying = verifyAnew(token).finally(() => underWay.delete(token))
      underWay.set(token, verifying)
      return verifying
    },
  }
}

/**
 * Whether the bits that the signature's last character leaves over are zero (RFC 4648, section 3.5). Otherwise a token
 * could be spelled in several ways, all of them valid, and each would be verified and remembered anew.
 */
function isSignatureCanonical(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1)
  return Buffer.from(signature, 'base64url').toString('base64url') === signature
}

export function tokenRefused(what: string, why: string, cause?: unknown): PlatformError {
  return new PlatformError(`Cannot accept the token: ${why}`, {
    kind: 'unauthenticated',
    code: `security.${what}`,
    ...(cause === undefined ? {} : { cause }),
  })
}

function refusalOf(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return tokenRefused('token_expired', 'it has expired')
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) {
    return tokenRefused('token_malformed', 'it is not a signed token', error)
  }
  if (error instanceof errors.JOSEError)
    return tokenRefused('token_invalid', 'its signature or claims are wrong', error)
  return error
}
