import { argon2, timingSafeEqual } from 'node:crypto'
import { type Clock, PlatformError, type Random, type Secret } from '@plinth/base'
import { currentScope } from '@plinth/concurrency'
import { createTurns } from './internal/turns.ts'
import {
  defaultPasswordParameters,
  formatPasswordHash,
  type PasswordHash,
  type PasswordParameters,
  parameterProblems,
  parsePasswordHash,
} from './password-parameters.ts'

/** What hashes cost and how many there may be at once. */
export interface PasswordHasherOptions {
  /** What new hashes cost. @default m=19 MiB, t=2, p=1 */
  readonly parameters?: PasswordParameters
  /**
   * Hashes computed at once, 1 to 4. They run on libuv's pool of four threads, which files (and the fsync of every
   * durable write) use too: more than two here would make disk writes wait behind passwords.
   * @default 2
   */
  readonly concurrency?: number
  /** Hashes that may wait, 0 to 10,000. One more is refused. @default 64 */
  readonly queueMax?: number
}

/** What verifying a password found. */
export interface PasswordCheck {
  readonly matches: boolean
  /** The stored hash was made with other parameters: hash the password anew and store that. Only when it matches. */
  readonly needsRehash: boolean
}

/**
 * Hashes and verifies passwords with argon2id, off the event loop, a bounded number at once.
 *
 * Every method throws `security.hash_queue_full` (exhausted, with `retryAfterMs`) when too many wait, and the
 * surrounding scope's reason when it ends while waiting for a turn.
 */
export interface PasswordHasher {
  /** A PHC string with a fresh salt. */
  hash(password: Secret): Promise<string>
  /**
   * Compares in constant time.
   *
   * Give `undefined` for a user who does not exist: the same work is done and the answer is no, so that time tells
   * nothing.
   */
  verify(password: Secret, stored: string | undefined): Promise<PasswordCheck>
  /** How many hashes run and wait now. */
  readonly load: { readonly running: number; readonly waiting: number }
}

const saltBytes = 16
const hashBytes = 32

/**
 * Makes a hasher.
 *
 * @throws RangeError when an option is out of bounds.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createSystemRandom, Secret, systemClock } from '@plinth/base'
 * import { createPasswordHasher } from '@plinth/security'
 *
 * const hasher = createPasswordHasher({ random: createSystemRandom(), clock: systemClock })
 * const stored = await hasher.hash(new Secret('correct horse battery'))
 * assert.equal((await hasher.verify(new Secret('correct horse battery'), stored)).matches, true)
 * assert.equal((await hasher.verify(new Secret('anything at all'), undefined)).matches, false)
 * ```
 */
export function createPasswordHasher(
  deps: { readonly random: Random; readonly clock: Clock },
  options: PasswordHasherOptions = {},
): PasswordHasher {
  const { parameters, concurrency, queueMax } = resolvePasswordHasherOptions(options)
  // Compared with when there is no stored hash. Its hash is never the result of any password.
  const nobody: PasswordHash = { parameters, salt: new Uint8Array(saltBytes), hash: new Uint8Array(hashBytes) }
  // A first guess; then a moving average of what a hash really takes here.
  let hashMs = 50
  const turns = createTurns({ concurrency, queueMax, full: queueFull })

  function queueFull(waiting: number): PlatformError {
    return new PlatformError(`Cannot hash a password: ${waiting} hashes wait already`, {
      kind: 'exhausted',
      code: 'security.hash_queue_full',
      retryAfterMs: Math.ceil(((waiting + 1) * hashMs) / concurrency),
    })
  }

  function compute(password: Secret, salt: Uint8Array, cost: PasswordParameters, length: number): Promise<Uint8Array> {
    return turns.take(async () => {
      const startedMs = deps.clock.monotonicMs()
      const hash = await deriveArgon2id(password, salt, cost, length)
      hashMs += (deps.clock.monotonicMs() - startedMs - hashMs) / 8
      return hash
    }, currentScope().signal)
  }

  return {
    async hash(password) {
      const salt = deps.random.fill(new Uint8Array(saltBytes))
      return formatPasswordHash({ parameters, salt, hash: await compute(password, salt, parameters, hashBytes) })
    },
    async verify(password, stored) {
      const known = stored === undefined ? nobody : parsePasswordHash(stored)
      const computed = await compute(password, known.salt, known.parameters, known.hash.length)
      const matches = timingSafeEqual(computed, known.hash) && stored !== undefined
      return { matches, needsRehash: matches && !sameCost(known.parameters, parameters) }
    },
    get load() {
      return turns.load
    },
  }
}

function resolvePasswordHasherOptions(options: PasswordHasherOptions) {
  const parameters = options.parameters ?? defaultPasswordParameters
  const concurrency = options.concurrency ?? 2
  const queueMax = options.queueMax ?? 64
  const problems = [...parameterProblems(parameters)]
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 4) {
    problems.push(`concurrency is an integer from 1 to 4, received ${concurrency}`)
  }
  if (!Number.isInteger(queueMax) || queueMax < 0 || queueMax > 10_000) {
    problems.push(`queueMax is an integer from 0 to 10000, received ${queueMax}`)
  }
  if (problems.length > 0) throw new RangeError(`Cannot make a password hasher: ${problems.join('; ')}`)
  return { parameters, concurrency, queueMax }
}

function deriveArgon2id(
  password: Secret,
  nonce: Uint8Array,
  cost: PasswordParameters,
  tagLength: number,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // The same password typed on two systems may arrive in two normal forms.
    const message = Buffer.from(password.reveal().normalize('NFC'), 'utf8')
    const { parallelism, memoryKib, passes } = cost
    argon2('argon2id', { message, nonce, parallelism, tagLength, memory: memoryKib, passes }, (error, hash) => {
      message.fill(0)
      if (error) reject(error)
      else resolve(hash)
    })
  })
}

function sameCost(a: PasswordParameters, b: PasswordParameters): boolean {
  return a.memoryKib === b.memoryKib && a.passes === b.passes && a.parallelism === b.parallelism
}
