import { createCipheriv, createDecipheriv, hash, hkdfSync } from 'node:crypto'
import { PlatformError, type Random, Secret } from '@plinth/base'

const tokenBytes = 32
const sealVersion = 1
const nonceBytes = 12
const tagBytes = 16

/**
 * A random token that means nothing to its holder: `<prefix>_` and 32 random bytes in base64url. The prefix lets
 * secret scanners and people recognise what leaked. Store only {@link hashOpaqueToken} of it.
 *
 * @throws TypeError when the prefix is not 1 to 16 lower-case letters or digits.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createSystemRandom } from '@plinth/base'
 * import { createOpaqueToken, hashOpaqueToken } from '@plinth/security'
 *
 * const token = createOpaqueToken(createSystemRandom(), 'rt')
 * assert.match(token.reveal(), /^rt_[A-Za-z0-9_-]{43}$/)
 * assert.equal(hashOpaqueToken(token).length, 43)
 * ```
 */
export function createOpaqueToken(random: Random, prefix: string): Secret {
  if (!/^[a-z0-9]{1,16}$/.test(prefix)) throw new TypeError(`Cannot prefix a token with "${prefix}": use a-z and 0-9`)
  const bytes = random.fill(new Uint8Array(tokenBytes))
  return new Secret(`${prefix}_${Buffer.from(bytes).toString('base64url')}`)
}

/**
 * The form in which a token is stored and looked up: SHA-256 in base64url. A token of 256 random bits needs no salt
 * and no slow hash, unlike a password.
 */
export function hashOpaqueToken(token: Secret): string {
  return hash('sha256', token.reveal(), 'base64url')
}

/**
 * Encrypts `plain` so that only the holder of `token` can read it (AES-256-GCM under a key derived from the token by
 * HKDF-SHA256). Whoever reads the database has the token's hash, and learns nothing.
 *
 * `purpose` separates uses of one token; opening with another purpose fails.
 */
export function sealForHolder(
  token: Secret,
  plain: Uint8Array,
  { purpose, random }: { readonly purpose: string; readonly random: Random },
): Uint8Array {
  const nonce = random.fill(new Uint8Array(nonceBytes))
  const cipher = createCipheriv('aes-256-gcm', keyOf(token, purpose), nonce)
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Uint8Array.of(sealVersion), nonce, body, cipher.getAuthTag()])
}

/**
 * Opens what {@link sealForHolder} made.
 *
 * @throws PlatformError `security.seal_broken` (internal): another token or purpose, or the bytes were changed.
 */
export function openForHolder(
  token: Secret,
  sealed: Uint8Array,
  { purpose }: { readonly purpose: string },
): Uint8Array {
  try {
    if (sealed[0] !== sealVersion) throw new RangeError('unknown version')
    const nonce = sealed.subarray(1, 1 + nonceBytes)
    const decipher = createDecipheriv('aes-256-gcm', keyOf(token, purpose), nonce, { authTagLength: tagBytes })
    decipher.setAuthTag(sealed.subarray(-tagBytes))
    return Buffer.concat([decipher.update(sealed.subarray(1 + nonceBytes, -tagBytes)), decipher.final()])
  } catch (cause) {
    throw new PlatformError('Cannot open a seal: it was made for another holder or was changed', {
      kind: 'internal',
      code: 'security.seal_broken',
      cause,
    })
  }
}

function keyOf(token: Secret, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', token.reveal(), '', `plinth seal ${purpose}`, 32))
}
