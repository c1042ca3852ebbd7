import { randomFillSync } from 'node:crypto'

/** Chance as a parameter, so that a run can be repeated from its seed. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer in [0, bound). `bound` from 1 to 2^32. */
  int(bound: number): number
  /** Fills and returns `target`. */
  fill(target: Uint8Array): Uint8Array
}

// One system call serves 1,024 draws; a draw of its own costs about a microsecond each.
const poolBytes = 4096

// Ids and nonces: short enough that their bytes come cheaper from the pool.
const fillFromPoolMax = 64

/** Cryptographically strong randomness, fit for tokens and ids. */
export function createSystemRandom(): Random {
  const pool = new Uint32Array(poolBytes / 4)
  let next = pool.length
  const draw32 = () => {
    if (next === pool.length) {
      randomFillSync(pool)
      next = 0
    }
    const value = pool[next] as number
    pool[next++] = 0
    return value
  }
  return {
    ...drawsFrom(draw32),
    fill(target) {
      if (target.length > fillFromPoolMax) return randomFillSync(target)
      let word = 0
      for (let at = 0; at < target.length; at++) {
        if ((at & 3) === 0) word = draw32()
        target[at] = word & 0xff
        word >>>= 8
      }
      return target
    },
  }
}

/**
 * Repeatable randomness from a seed (sfc32 by Chris Doty-Humphrey, PractRand). Never for secrets.
 *
 * @throws RangeError if `seed` is not an integer from 0 to 2^53 - 1.
 */
export function createSeededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`Cannot seed with ${seed}: it is not an integer >= 0`)
  let a = seed >>> 0
  let b = Math.floor(seed / 2 ** 32) >>> 0
  let c = 0x9e3779b9
  let counter = 1
  const draw32 = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // The first outputs of neighbouring seeds are alike; after twelve rounds they are not.
  for (let round = 0; round < 12; round++) draw32()
  const fill = (target: Uint8Array) => {
    for (let at = 0; at < target.length; at++) target[at] = draw32() & 0xff
    return target
  }
  return { ...drawsFrom(draw32), fill }
}

function drawsFrom(draw32: () => number): Pick<Random, 'next' | 'int'> {
  return {
    next: () => (draw32() >>> 5) * 2 ** -27 + (draw32() >>> 6) * 2 ** -53,
    int(bound) {
      if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
        throw new RangeError(`Cannot draw below ${bound}: the bound is an integer from 1 to 2^32`)
      }
      // Rejecting the uneven tail keeps every value equally likely.
      const limit = 2 ** 32 - (2 ** 32 % bound)
      let value = draw32()
      while (value >= limit) value = draw32()
      return value % bound
    },
  }
}
