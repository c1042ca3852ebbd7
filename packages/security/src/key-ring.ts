import { channel } from 'node:diagnostics_channel'
import type { Clock, Timer } from '@plinth/base'
import { importJWK } from 'jose'
import type { KeyStore } from './key-store.ts'
import { createSigningKey, type PublicJwk, publicJwkOf, type StoredKey } from './signing-key.ts'

/** When keys come and go; all in milliseconds. */
export interface KeyRingOptions {
  /** Age at which the newest key gets a successor: at least an hour. @default 30 days */
  readonly rotateAfterMs?: number
  /**
   * How long a new key is published before it signs, so that whoever keeps a copy of the key set has it by then.
   * @default 15 minutes
   */
  readonly publishAheadMs?: number
  /**
   * How long a key still verifies once its successor signs: at least the lifetime of a token. @default 1 hour
   */
  readonly overlapMs?: number
  /** How often the store is looked at, for keys that another process made. @default 1 minute */
  readonly checkEveryMs?: number
}

/** Finds public keys by id. `version` grows whenever a key is no longer accepted, so that caches can let go. */
export interface KeySource {
  find(kid: string): CryptoKey | undefined | Promise<CryptoKey | undefined>
  readonly version: number
}

/** The keys of one issuer: one signs, all that may still be met verify. */
export interface KeyRing extends KeySource, AsyncDisposable {
  find(kid: string): CryptoKey | undefined
  /** The key to sign with now. */
  signingKey(): { readonly kid: string; readonly key: CryptoKey }
  /** What to publish, oldest first. */
  publicKeys(): readonly PublicJwk[]
  /**
   * Makes a new key now. It signs after `publishAheadMs`; with `discardOld`, for a key that leaked, it signs at once
   * and all others are gone: every token they signed is refused.
   */
  rotate(options?: { readonly discardOld?: boolean }): Promise<void>
  /** Follows the store, rotates when it is time and drops what has retired. Also runs every `checkEveryMs`. */
  maintain(): Promise<void>
}

interface LoadedKey {
  readonly stored: StoredKey
  readonly publicKey: CryptoKey
  readonly privateKey: CryptoKey
}

const hourMs = 3_600_000
const failures = channel('plinth:security:key_ring_failed')
const rotations = channel('plinth:security:key_rotated')

/**
 * Opens the ring, making the first key if there is none. Which key signs follows from the ages of the keys alone, so
 * processes that share a store agree without talking.
 *
 * A check that fails leaves the keys as they are and is announced as `plinth:security:key_ring_failed`.
 *
 * @throws RangeError when an option is out of bounds; whatever the store throws.
 */
export async function openKeyRing(
  deps: { readonly store: KeyStore; readonly clock: Clock },
  options: KeyRingOptions = {},
): Promise<KeyRing> {
  const ring = new StoredKeyRing(deps, resolveKeyRingOptions(options))
  await ring.maintain()
  ring.schedule()
  return ring
}

function resolveKeyRingOptions(options: KeyRingOptions): Required<KeyRingOptions> {
  const resolved = {
    rotateAfterMs: 720 * hourMs,
    publishAheadMs: 900_000,
    overlapMs: hourMs,
    checkEveryMs: 60_000,
    ...options,
  }
  const problems: string[] = []
  if (!(resolved.rotateAfterMs >= hourMs)) problems.push(`rotateAfterMs is at least ${hourMs}`)
  if (!(resolved.publishAheadMs >= 0 && resolved.publishAheadMs < resolved.rotateAfterMs)) {
    problems.push('publishAheadMs is from 0 to less than rotateAfterMs')
  }
  if (!(resolved.overlapMs >= 0)) problems.push('overlapMs is at least 0')
  if (!(resolved.checkEveryMs >= 100)) problems.push('checkEveryMs is at least 100')
  if (problems.length > 0) throw new RangeError(`Cannot open a key ring: ${problems.join('; ')}`)
  return Object.freeze(resolved)
}

class StoredKeyRing implements KeyRing {
  readonly #store: KeyStore
  readonly #clock: Clock
  readonly #options: Required<KeyRingOptions>
  #keys: readonly LoadedKey[] = []
  #timer: Timer | undefined
  #isClosed = false
  version = 0

  constructor(deps: { readonly store: KeyStore; readonly clock: Clock }, options: Required<KeyRingOptions>) {
    this.#store = deps.store
    this.#clock = deps.clock
    this.#options = options
  }

  find(kid: string): CryptoKey | undefined {
    return this.#keys.find(({ stored }) => stored.kid === kid)?.publicKey
  }

  signingKey(): { readonly kid: string; readonly key: CryptoKey } {
    const activeBy = this.#clock.nowMs() - this.#options.publishAheadMs
    const signing = this.#keys.findLast(({ stored }) => stored.createdAtMs <= activeBy) ?? this.#keys[0]
    if (!signing) throw new TypeError('Cannot sign: the key ring is not open')
    return { kid: signing.stored.kid, key: signing.privateKey }
  }

  publicKeys(): readonly PublicJwk[] {
    return this.#keys.map(({ stored }) => publicJwkOf(stored))
  }

  async rotate({ discardOld = false }: { readonly discardOld?: boolean } = {}): Promise<void> {
    const fresh = createSigningKey(this.#clock.nowMs())
    await this.#adopt(await this.#store.update((keys) => (discardOld ? [fresh] : [...keys, fresh])))
    rotations.hasSubscribers && rotations.publish({ kid: fresh.kid, discardOld })
  }

  async maintain(): Promise<void> {
    const nowMs = this.#clock.nowMs()
    let fresh: StoredKey | undefined
    const keys = await this.#store.update((present) => {
      const kept = present.filter((_, at) => !this.#isRetired(present[at + 1], nowMs))
      const newest = kept.at(-1)
      const isDue = !newest || nowMs - newest.createdAtMs >= this.#options.rotateAfterMs
      if (!isDue && kept.length === present.length) return undefined
      if (!isDue) return kept
      fresh ??= createSigningKey(nowMs)
      return [...kept, fresh]
    })
    await this.#adopt(keys)
    if (fresh && rotations.hasSubscribers) rotations.publish({ kid: fresh.kid, discardOld: false })
  }

  schedule(): void {
    if (this.#isClosed) return
    this.#timer = this.#clock.setTimer(() => {
      this.maintain()
        .catch((error: unknown) => failures.hasSubscribers && failures.publish({ error }))
        .finally(() => this.schedule())
    }, this.#options.checkEveryMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #isRetired(successor: StoredKey | undefined, nowMs: number): boolean {
    if (!successor) return false
    return successor.createdAtMs + this.#options.publishAheadMs + this.#options.overlapMs <= nowMs
  }

  async #adopt(stored: readonly StoredKey[]): Promise<void> {
    const known = new Map(this.#keys.map((key) => [key.stored.kid, key]))
    const keys = await Promise.all(stored.map((key) => known.get(key.kid) ?? loadKey(key)))
    const staying = new Set(stored.map((key) => key.kid))
    if (this.#keys.some((key) => !staying.has(key.stored.kid))) this.version++
    this.#keys = keys
  }
}

async function loadKey(stored: StoredKey): Promise<LoadedKey> {
  const { kty, crv, x } = publicJwkOf(stored)
  const [publicKey, privateKey] = await Promise.all([
    importJWK({ kty, crv, x }, 'EdDSA'),
    importJWK({ kty, crv, x, d: stored.d.reveal() }, 'EdDSA', { extractable: false }),
  ])
  return { stored, publicKey: publicKey as CryptoKey, privateKey: privateKey as CryptoKey }
}
