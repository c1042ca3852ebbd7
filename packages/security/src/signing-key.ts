import { generateKeyPairSync, hash } from 'node:crypto'
import { Secret } from '@plinth/base'

/** A public Ed25519 key as a JWK (RFC 8037), the form in which it is published. */
export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  /** The key's thumbprint (RFC 7638). */
  readonly kid: string
  readonly use: 'sig'
  readonly alg: 'EdDSA'
}

/** A key pair as it is stored. */
export interface StoredKey {
  readonly kid: string
  readonly createdAtMs: number
  /** The public half, base64url. */
  readonly x: string
  /** The private half, base64url. */
  readonly d: Secret
}

/** Makes an Ed25519 key pair, about 50 us. */
export function createSigningKey(createdAtMs: number): StoredKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  const { x, d } = privateKey.export({ format: 'jwk' }) as { x: string; d: string }
  return { kid: thumbprintOf(x), createdAtMs, x, d: new Secret(d) }
}

/** The half of a key that is published. */
export function publicJwkOf({ kid, x }: { readonly kid: string; readonly x: string }): PublicJwk {
  return { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' }
}

function thumbprintOf(x: string): string {
  // RFC 7638: the required members in lexical order without white space.
  return hash('sha256', JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }), 'base64url')
}
