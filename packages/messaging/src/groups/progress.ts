import { Fifo } from '../fifo.ts'

/** A message on its way through a group. */
export interface Entry<Content> {
  readonly offset: number
  /** Where it lies in the log. */
  readonly position: number
  readonly key: string
  /** Missing once it was let go to save memory; it is read again when its turn comes. */
  message: Content | undefined
  readonly bytes: number
  attempts: number
  done: boolean
  /** The dead letter this delivery replays. */
  readonly letter: number | undefined
}

/** What of a group's way through a topic outlives the process. */
export interface SavedProgress {
  readonly committed: number
  /** Base64 of a bitmap, lowest bit first: bit n says that `committed + n` is handled. Empty if none is. */
  readonly done: string
  /** Failed deliveries so far: offset and number. */
  readonly attempts: readonly (readonly [number, number])[]
}

/**
 * Which messages of a topic a group has handled. Keys are handled side by side, so messages are done out of order:
 * `committed` is the lowest that is not, and the ones done above it are remembered one by one.
 */
export class Progress<Content> {
  readonly #window = new Fifo<Entry<Content>>()
  readonly #doneBefore = new Set<number>()
  readonly #attemptsBefore: Map<number, number>
  #committed: number
  /** Offset of the next message to admit. */
  next: number
  #doneAbove = 0

  constructor(saved: SavedProgress) {
    this.#committed = saved.committed
    this.next = saved.committed
    this.#attemptsBefore = new Map(saved.attempts)
    const bits = Buffer.from(saved.done, 'base64')
    for (let bit = 0; bit < bits.length * 8; bit++) {
      if (((bits[bit >>> 3] as number) >>> (bit & 7)) & 1) this.#doneBefore.add(saved.committed + bit)
    }
  }

  /** Lowest offset that is not handled. */
  get committed(): number {
    return this.#committed
  }

  /** Messages admitted and not yet below `committed`. */
  get windowSize(): number {
    return this.#window.size
  }

  /** Messages handled above `committed`. */
  get doneAbove(): number {
    return this.#doneAbove + this.#doneBefore.size
  }

  /** Takes in the message `next`, or a later one if what lay between is gone. False: it was handled before. */
  admit(entry: Entry<Content>): boolean {
    this.next = entry.offset + 1
    this.#window.push(entry)
    if (this.#doneBefore.delete(entry.offset)) {
      this.finish(entry)
      return false
    }
    entry.attempts = this.#attemptsBefore.get(entry.offset) ?? 0
    this.#attemptsBefore.delete(entry.offset)
    if (this.#window.size === 1) this.#advance()
    return true
  }

  /** Passes over messages that are gone. */
  skipTo(offset: number): void {
    this.next = Math.max(this.next, offset)
    this.#advance()
  }

  finish(entry: Entry<Content>): void {
    entry.done = true
    entry.message = undefined
    this.#doneAbove++
    this.#advance()
  }

  save(): SavedProgress {
    const base = this.#committed
    const bits = Buffer.alloc(Math.ceil((this.#highest() + 1 - base) / 8))
    const set = (offset: number) => {
      const at = offset - base
      bits[at >>> 3] = (bits[at >>> 3] as number) | (1 << (at & 7))
    }
    const attempts: [number, number][] = [...this.#attemptsBefore]
    for (const entry of this.#window) {
      if (entry.done) set(entry.offset)
      else if (entry.attempts > 0) attempts.push([entry.offset, entry.attempts])
    }
    for (const offset of this.#doneBefore) set(offset)
    return { committed: base, done: bits.toString('base64'), attempts }
  }

  #highest(): number {
    let highest = this.#doneAbove > 0 ? (this.#window.last()?.offset ?? -1) : this.#committed - 1
    for (const offset of this.#doneBefore) highest = Math.max(highest, offset)
    return highest
  }

  #advance(): void {
    while (this.#window.first()?.done) {
      this.#window.shift()
      this.#doneAbove--
    }
    this.#committed = this.#window.first()?.offset ?? this.next
  }
}
