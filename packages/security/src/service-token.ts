import { hkdfSync } from 'node:crypto'
import { type Clock, type Ids, Secret } from '@plinth/base'
import { type JWTPayload, SignJWT } from 'jose'
import { resolveTokenVerifierOptions, type TokenVerifier, type TokenVerifierOptions } from './access-token.ts'
import { createJwtVerifier } from './internal/jwt-verifier.ts'

/** What a service's token says. */
export interface ServiceClaims {
  /** Name of the calling service. */
  readonly service: string
  readonly tokenId: string
  readonly expiresAtMs: number
}

/** How long service tokens live, and what is accepted. */
export interface ServiceTokensOptions extends TokenVerifierOptions {
  /** Life of a token: 10 s to 1 h. @default 60000 */
  readonly lifetimeMs?: number
}

/** Identities of services to each other, made from one secret that all of them hold. */
export interface ServiceTokens extends TokenVerifier<ServiceClaims> {
  /** A token that names `service`; the same one is answered until half of its life is over. */
  issue(service: string): Promise<Secret>
}

const tokenType = 'service+jwt'
const secretCharsMin = 32
const servicesMax = 256
const namePattern = /^[a-z][a-z0-9._-]{0,99}$/

/**
 * Makes and verifies service tokens: short-lived JWTs under HMAC-SHA256, with a key derived from the cluster's secret
 * for this use alone. They verify nowhere as access tokens, nor the other way round.
 *
 * @throws RangeError when the secret is shorter than 32 characters or an option is out of bounds.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createIds, createSystemRandom, Secret, systemClock } from '@plinth/base'
 * import { createServiceTokens } from '@plinth/security'
 *
 * const ids = createIds({ clock: systemClock, random: createSystemRandom() })
 * const tokens = createServiceTokens({ secret: new Secret('0123456789abcdef0123456789abcdef'), clock: systemClock, ids })
 * const token = await tokens.issue('orders')
 * assert.equal((await tokens.verify(token.reveal())).service, 'orders')
 * ```
 */
export function createServiceTokens(
  deps: { readonly secret: Secret; readonly clock: Clock; readonly ids: Ids },
  options: ServiceTokensOptions = {},
): ServiceTokens {
  const { lifetimeMs = 60_000, ...verifierOptions } = options
  if (!(lifetimeMs >= 10_000 && lifetimeMs <= 3_600_000)) {
    throw new RangeError(`Cannot make service tokens: lifetimeMs is from 10000 to 3600000, received ${lifetimeMs}`)
  }
  if (deps.secret.reveal().length < secretCharsMin) {
    throw new RangeError(`Cannot make service tokens: the cluster secret has fewer than ${secretCharsMin} characters`)
  }
  const realm = resolveTokenVerifierOptions(verifierOptions)
  const key = new Uint8Array(hkdfSync('sha256', deps.secret.reveal(), '', 'plinth service tokens', 32))
  const issued = new Map<string, { readonly token: Promise<Secret>; readonly renewAtMs: number }>()
  const verifier = createJwtVerifier<ServiceClaims>(deps.clock, {
    ...realm,
    algorithm: 'HS256',
    type: tokenType,
    keysVersion: () => 0,
    getKey: async () => key,
    read: readServiceClaims,
  })

  async function sign(service: string, nowMs: number): Promise<Secret> {
    const iat = Math.floor(nowMs / 1000)
    const payload = {
      iss: realm.issuer,
      aud: realm.audience,
      sub: service,
      jti: deps.ids.next(),
      iat,
      exp: iat + lifetimeMs / 1000,
    }
    return new Secret(await new SignJWT(payload).setProtectedHeader({ alg: 'HS256', typ: tokenType }).sign(key))
  }

  return {
    issue(service) {
      if (!namePattern.test(service)) throw new TypeError(`Cannot name a service "${service}"`)
      const nowMs = deps.clock.nowMs()
      const current = issued.get(service)
      if (current && nowMs < current.renewAtMs) return current.token
      const token = sign(service, nowMs)
      if (issued.size >= servicesMax) issued.clear()
      issued.set(service, { token, renewAtMs: nowMs + lifetimeMs / 2 })
      return token
    },
    peek: (token) => verifier.peek(token),
    verify: (token) => verifier.peek(token) ?? verifier.verify(token),
  }
}

function readServiceClaims({ sub, jti, exp }: JWTPayload): ServiceClaims | undefined {
  if (!sub || !namePattern.test(sub) || typeof jti !== 'string' || typeof exp !== 'number') return undefined
  return Object.freeze({ service: sub, tokenId: jti, expiresAtMs: exp * 1000 })
}
