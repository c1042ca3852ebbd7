import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

/** Identity as a parameter. */
export interface Ids {
  /** A new UUIDv7 in lower case: sorts by creation time, and strictly so within one generator. */
  next(): string
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const counterMax = 0xfff

/**
 * Makes UUIDv7s (RFC 9562, section 5.7; the 12 bits `rand_a` are a counter, method 1 of section 6.2), so ids made
 * in one millisecond still sort in the order they were made, and a clock that steps back does not break the order.
 */
export function createIds(deps: { readonly clock: Clock; readonly random: Random }): Ids {
  let lastMs = 0
  let counter = 0
  const tail = new Uint8Array(8)
  return {
    next() {
      // A clock with fractions must not look like a new millisecond within the same one.
      const nowMs = Math.floor(deps.clock.nowMs())
      if (nowMs > lastMs) {
        lastMs = nowMs
        // Half of the counter's room is left, so that a burst of 2,048 ids fits into one millisecond.
        counter = deps.random.int(0x800)
      } else if (++counter > counterMax) {
        lastMs++
        counter = deps.random.int(0x800)
      }
      deps.random.fill(tail)
      return formatUuid(lastMs, counter, tail)
    },
  }
}

function formatUuid(ms: number, counter: number, tail: Uint8Array): string {
  const high = Math.floor(ms / 2 ** 16)
  const h = (byte: number) => hex[byte & 0xff] as string
  const t = (at: number) => hex[tail[at] as number] as string
  return (
    `${h(high >>> 24)}${h(high >>> 16)}${h(high >>> 8)}${h(high)}-${h((ms % 2 ** 16) >>> 8)}${h(ms)}-` +
    `${h(0x70 | (counter >>> 8))}${h(counter)}-${h(0x80 | ((tail[0] as number) & 0x3f))}${t(1)}-` +
    `${t(2)}${t(3)}${t(4)}${t(5)}${t(6)}${t(7)}`
  )
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether `value` is a UUID of any version in the canonical lower-case form. */
export function isUuid(value: string): boolean {
  return uuidPattern.test(value)
}
