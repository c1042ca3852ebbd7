import type { Message } from './bus.ts'
import type { DeadLetters, Letter } from './groups/dead-letters.ts'
import type { SavedProgress } from './groups/progress.ts'
import { TopicIndex } from './log/topic-index.ts'

/**
 * A change of what the bus remembers beside the messages, as it stands in the state log (JSON, one record each):
 * progress of a group in a topic, a dead letter or its end, what a closed segment holds, and where the offsets of a
 * topic go on.
 */
export type StateChange =
  | { readonly kind: 'progress'; readonly group: string; readonly topic: string; readonly progress: SavedProgress }
  | { readonly kind: 'letter'; readonly letter: StoredLetter }
  | { readonly kind: 'letter_end'; readonly seq: number }
  | {
      readonly kind: 'segment'
      readonly base: number
      readonly newestMs: number
      readonly parts: readonly StoredPart[]
    }
  | { readonly kind: 'segment_end'; readonly base: number }
  | { readonly kind: 'topic'; readonly topic: string; readonly next: number }

type StoredMessage = Omit<Message, 'payload' | 'offset'> & { readonly payload: string; readonly offset: number }
type StoredLetter = Omit<Letter, 'message'> & { readonly message: StoredMessage }

interface StoredPart {
  readonly topic: string
  readonly first: number
  readonly next: number
  readonly bytes: number
  readonly points: readonly number[]
}

/** What the state log says when it is read from the start. */
export class RecoveredState {
  readonly progress: Map<string, { group: string; topic: string; saved: SavedProgress }> = new Map()
  readonly letters: Map<number, Letter> = new Map()
  readonly segments: Map<number, { newestMs: number; parts: readonly StoredPart[] }> = new Map()
  readonly topics: Map<string, number> = new Map()

  apply(change: StateChange): void {
    switch (change.kind) {
      case 'progress': {
        const { group, topic, progress: saved } = change
        this.progress.set(`${group} ${topic}`, { group, topic, saved })
        break
      }
      case 'letter':
        this.letters.set(change.letter.seq, fromStored(change.letter))
        break
      case 'letter_end':
        this.letters.delete(change.seq)
        break
      case 'segment':
        this.segments.set(change.base, change)
        break
      case 'segment_end':
        this.segments.delete(change.base)
        break
      case 'topic':
        this.topics.set(change.topic, change.next)
        break
      default:
        change satisfies never
    }
  }

  /** The index as far as it was saved. */
  index(): TopicIndex {
    const index = new TopicIndex()
    for (const [base, { parts }] of [...this.segments].sort(([a], [b]) => a - b)) {
      for (const { topic, first, next, bytes, points } of parts) {
        index.restore(topic, { base, first, next, bytes, points: [...points] })
      }
    }
    for (const [name, next] of this.topics) {
      const topic = index.ensure(name)
      topic.next = Math.max(topic.next, next)
    }
    return index
  }

  fill(letters: DeadLetters): void {
    for (const letter of [...this.letters.values()].sort((a, b) => a.seq - b.seq)) letters.put(letter)
  }
}

export function letterChange(letter: Letter): StateChange {
  const { message, ...rest } = letter
  const payload = Buffer.from(message.payload).toString('base64')
  return { kind: 'letter', letter: { ...rest, message: { ...message, payload, offset: Number(message.offset) } } }
}

export function segmentChange(index: TopicIndex, segment: { base: number; newestMs: number }): StateChange {
  const { base, newestMs } = segment
  const parts = index
    .partsOf(base)
    .map(([topic, { first, next, bytes, points }]) => ({ topic, first, next, bytes, points }))
  return { kind: 'segment', base, newestMs, parts }
}

function fromStored(stored: StoredLetter): Letter {
  const { message, ...rest } = stored
  const payload = new Uint8Array(Buffer.from(message.payload, 'base64'))
  return { ...rest, message: { ...message, payload, offset: BigInt(message.offset) } }
}
