import type { DeadLetter, DeadLetterPage, DeadLetterQuery, DeadLetterSelection, Message } from '../bus.ts'
import { messagingFault } from '../faults.ts'

/** A dead letter and whether it is on its way again. */
export interface Letter {
  readonly seq: number
  readonly group: string
  readonly message: Message
  readonly attempts: number
  readonly failure: string
  readonly diedAtMs: number
  readonly replaying: boolean
}

export interface DeadLetterLimits {
  readonly lettersMax: number
  readonly bytesMax: number
}

/** The dead letters in memory; the bus writes every change to its state log. */
export class DeadLetters {
  readonly #limits: DeadLetterLimits
  readonly #letters = new Map<number, Letter>()
  readonly #byPlace = new Map<string, number>()
  readonly #counts = new Map<string, number>()
  #bytes = 0
  #nextSeq = 1

  constructor(limits: DeadLetterLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  [Symbol.iterator](): IterableIterator<Letter> {
    return this.#letters.values()
  }

  get(seq: number): Letter | undefined {
    return this.#letters.get(seq)
  }

  /** Letters of a group in a topic that are not on their way again. */
  count(group: string, topic: string): number {
    return this.#counts.get(placeOf(group, topic)) ?? 0
  }

  /** Number for a new letter: the old one if the same message of the same group is dead already. */
  seqFor(group: string, message: Message): number {
    return this.#byPlace.get(placeOf(group, message.topic, message.offset)) ?? this.#nextSeq++
  }

  /** @throws PlatformError `messaging.full`: the letter must wait outside. */
  checkRoom(message: Message): void {
    const { lettersMax, bytesMax } = this.#limits
    if (this.#letters.size < lettersMax && this.#bytes + message.payload.length <= bytesMax) return
    throw messagingFault('messaging.full', `Cannot keep a dead letter: ${this.#letters.size} fill their room`, {
      details: { letters: this.#letters.size, bytes: this.#bytes },
    })
  }

  put(letter: Letter): void {
    this.remove(letter.seq)
    const place = placeOf(letter.group, letter.message.topic)
    this.#letters.set(letter.seq, letter)
    this.#byPlace.set(placeOf(letter.group, letter.message.topic, letter.message.offset), letter.seq)
    if (!letter.replaying) this.#counts.set(place, (this.#counts.get(place) ?? 0) + 1)
    this.#bytes += letter.message.payload.length
    this.#nextSeq = Math.max(this.#nextSeq, letter.seq + 1)
  }

  remove(seq: number): void {
    const letter = this.#letters.get(seq)
    if (letter === undefined) return
    const place = placeOf(letter.group, letter.message.topic)
    this.#letters.delete(seq)
    this.#byPlace.delete(placeOf(letter.group, letter.message.topic, letter.message.offset))
    if (!letter.replaying) this.#counts.set(place, (this.#counts.get(place) ?? 1) - 1)
    this.#bytes -= letter.message.payload.length
  }

  /** @throws PlatformError `messaging.invalid_query`. */
  page(query: DeadLetterQuery): DeadLetterPage {
    const limit = query.limit ?? 100
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
      throw messagingFault('messaging.invalid_query', `Cannot list ${limit} dead letters: limit is 1 to 1000`)
    }
    const after = query.after === undefined ? 0 : readSeq(query.after)
    const letters: DeadLetter[] = []
    let last = 0
    for (const letter of this.#inOrder()) {
      if (letter.seq <= after || letter.replaying) continue
      if (query.group !== undefined && letter.group !== query.group) continue
      if (query.topic !== undefined && letter.message.topic !== query.topic) continue
      if (letters.length === limit) return { letters, next: String(last) }
      letters.push(toDeadLetter(letter))
      last = letter.seq
    }
    return { letters, next: undefined }
  }

  /** The letters of a selection that are not on their way again, oldest first. */
  select(selection: DeadLetterSelection): Letter[] {
    const waiting = (letter: Letter | undefined): letter is Letter => letter !== undefined && !letter.replaying
    if ('ids' in selection) {
      const seqs = [...new Set(selection.ids.map(readSeq))].sort((a, b) => a - b)
      return seqs.map((seq) => this.#letters.get(seq)).filter(waiting)
    }
    const { group, topic } = selection
    return this.#inOrder().filter(
      (letter) => waiting(letter) && letter.group === group && (topic === undefined || letter.message.topic === topic),
    )
  }

  #inOrder(): Letter[] {
    return [...this.#letters.values()].sort((a, b) => a.seq - b.seq)
  }
}

function toDeadLetter(letter: Letter): DeadLetter {
  const { seq, group, message, attempts, failure, diedAtMs } = letter
  return { id: String(seq), group, message, attempts, failure, diedAtMs }
}

function readSeq(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw messagingFault('messaging.invalid_query', `Cannot find a dead letter: "${text.slice(0, 40)}" is not an id`)
}

// A space is in no topic, so the parts cannot run into each other; groups are checked to hold none either.
function placeOf(...parts: readonly (string | bigint)[]): string {
  return parts.join(' ')
}
