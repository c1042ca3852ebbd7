import { channel } from 'node:diagnostics_channel'
import type { Clock } from '@plinth/base'
import { importJWK } from 'jose'
import type { KeySource } from './key-ring.ts'
import type { PublicJwk } from './signing-key.ts'

/** When a key set is fetched. */
export interface JwksSourceOptions {
  /** Age at which the key set is fetched again. @default 5 minutes */
  readonly maxAgeMs?: number
  /** Shortest time between two fetches, so that made-up key ids cannot cause a flood of them. @default 5000 */
  readonly cooldownMs?: number
}

const keysMax = 100
const failures = channel('plinth:security:jwks_failed')

/**
 * The public keys of an issuer in another process, fetched when needed and kept. An unknown key id causes a fetch, at
 * most one every `cooldownMs`, shared by all who wait. When a fetch fails the keys at hand go on to serve and
 * `plinth:security:jwks_failed` is announced; only without any keys is the failure thrown.
 *
 * @throws RangeError when an option is out of bounds.
 */
export function createJwksSource(
  deps: { readonly fetchKeys: () => Promise<readonly PublicJwk[]>; readonly clock: Clock },
  options: JwksSourceOptions = {},
): KeySource {
  const { maxAgeMs = 300_000, cooldownMs = 5000 } = options
  if (!(maxAgeMs >= 1000) || !(cooldownMs >= 0)) {
    throw new RangeError('Cannot make a key source: maxAgeMs is at least 1000 and cooldownMs at least 0')
  }
  let keys = new Map<string, CryptoKey>()
  let fetchedAtMs = -Infinity
  let triedAtMs = -Infinity
  let version = 0
  let underWay: Promise<void> | undefined

  async function fetchNow(): Promise<void> {
    triedAtMs = deps.clock.monotonicMs()
    try {
      const fetched = await importKeys((await deps.fetchKeys()).slice(0, keysMax))
      if ([...keys.keys()].some((kid) => !fetched.has(kid))) version++
      keys = fetched
      fetchedAtMs = deps.clock.monotonicMs()
    } catch (error) {
      if (failures.hasSubscribers) failures.publish({ error })
      if (keys.size === 0) throw error
    }
  }

  function refresh(): Promise<void> {
    underWay ??= fetchNow().finally(() => {
      underWay = undefined
    })
    return underWay
  }

  return {
    find(kid) {
      const nowMs = deps.clock.monotonicMs()
      const found = keys.get(kid)
      const mayFetch = underWay !== undefined || keys.size === 0 || nowMs - triedAtMs >= cooldownMs
      if (found) {
        // Stale keys still serve while the new set is on its way.
        if (nowMs - fetchedAtMs >= maxAgeMs && mayFetch) refresh().catch(() => {})
        return found
      }
      return mayFetch ? refresh().then(() => keys.get(kid)) : undefined
    },
    get version() {
      return version
    },
  }
}

async function importKeys(jwks: readonly PublicJwk[]): Promise<Map<string, CryptoKey>> {
  const keys = new Map<string, CryptoKey>()
  for (const { kty, crv, x, kid, alg } of jwks) {
    // A set may hold keys for other uses; they are not an error, just not ours.
    if (kty !== 'OKP' || crv !== 'Ed25519' || alg !== 'EdDSA') continue
    keys.set(kid, (await importJWK({ kty, crv, x }, 'EdDSA')) as CryptoKey)
  }
  return keys
}
