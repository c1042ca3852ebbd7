import type { Random } from '@plinth/base'

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** 32 bits in hex. */
function wordText(word: number): string {
  return `${hex[word >>> 24]}${hex[(word >>> 16) & 255]}${hex[(word >>> 8) & 255]}${hex[word & 255]}`
}

/** `words` times 32 random bits in hex; never all zero, which would be no id. */
export function randomHex(random: Random, words: number): string {
  let text = ''
  let seen = 0
  for (let at = 0; at < words; at++) {
    let word = random.int(2 ** 32)
    seen |= word
    if (at === words - 1 && seen === 0) word = 1
    text += wordText(word)
  }
  return text
}

/**
 * The id of a trace begun here, made when somebody reads it: most traces that are not sampled never need theirs.
 * Whether it is sampled
 * hangs on its last 32 bits alone, so services that sample alike would keep the same traces.
 */
export class NewTraceId {
  readonly #random: Random
  #lastWord = -1
  #text = ''

  constructor(random: Random) {
    this.#random = random
  }

  get text(): string {
    if (this.#text === '') this.#text = randomHex(this.#random, 3) + wordText(this.#last())
    return this.#text
  }

  isWithin(ratio: number): boolean {
    if (ratio >= 1 || ratio <= 0) return ratio >= 1
    return this.#last() < ratio * 2 ** 32
  }

  #last(): number {
    if (this.#lastWord < 0) this.#lastWord = this.#random.int(2 ** 32)
    return this.#lastWord
  }
}
