/** What one segment holds of one topic. */
export interface SegmentPart {
  readonly base: number
  /** Offset of its first message. */
  readonly first: number
  /** Offset after its last message. */
  next: number
  bytes: number
  /** Offset and position of every message that begins a new stretch of the segment: pairs, flat. */
  readonly points: number[]
}

/** One topic: where its offsets go on, and where its messages lie. */
export interface Topic {
  readonly name: string
  /** Offset of the next message; everything below is durable. */
  next: number
  readonly parts: SegmentPart[]
}

const stretchBytes = 128 * 1024

/**
 * Which messages of which topic lie where: exact by segment, and within a segment every 128 KiB. It is kept in
 * memory, and for closed segments in the state log, so that a start need not read them.
 */
export class TopicIndex {
  readonly topics: Map<string, Topic> = new Map()

  /** The topic, made when it is new. */
  ensure(name: string): Topic {
    let topic = this.topics.get(name)
    if (topic === undefined) {
      topic = { name, next: 0, parts: [] }
      this.topics.set(name, topic)
    }
    return topic
  }

  /** Notes a durable message. */
  note(topic: Topic, record: { base: number; offset: number; position: number; bytes: number }): void {
    const { base, offset, position, bytes } = record
    let part = topic.parts.at(-1)
    if (part?.base !== base) part = topic.parts.find((one) => one.base === base)
    if (part === undefined) {
      part = { base, first: offset, next: offset, bytes: 0, points: [] }
      topic.parts.push(part)
    }
    const { points } = part
    if (points.length === 0 || position - (points.at(-1) as number) >= stretchBytes) points.push(offset, position)
    part.next = offset + 1
    part.bytes += bytes
    topic.next = Math.max(topic.next, offset + 1)
  }

  /** Takes over what is known of a closed segment. Call it in the order of the segments. */
  restore(name: string, part: SegmentPart): void {
    const topic = this.ensure(name)
    topic.parts.push(part)
    topic.next = Math.max(topic.next, part.next)
  }

  /** The parts of the segment at `base`, by topic. */
  partsOf(base: number): [string, SegmentPart][] {
    const found: [string, SegmentPart][] = []
    for (const topic of this.topics.values()) {
      const part = topic.parts.find((one) => one.base === base)
      if (part !== undefined) found.push([topic.name, part])
    }
    return found
  }

  /** Forgets a deleted segment. Topics stay, so that their offsets go on. */
  retire(base: number): void {
    for (const topic of this.topics.values()) {
      if (topic.parts[0]?.base === base) topic.parts.shift()
    }
  }

  /**
   * Where to begin reading for messages of `topic` from `offset` on: a position at or before the first of them.
   * Undefined when there is none yet.
   */
  seek(topic: Topic, offset: number): number | undefined {
    const part = topic.parts.find((one) => one.next > offset)
    if (part === undefined) return undefined
    const { points } = part
    let low = 0
    let high = points.length / 2 - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((points[middle * 2] as number) <= offset) low = middle
      else high = middle - 1
    }
    return points[low * 2 + 1]
  }
}

/** Offset of the oldest message that is still there; `next` when there is none. */
export function firstOffset(topic: Topic): number {
  return topic.parts[0]?.first ?? topic.next
}
