import type { Clock } from '@plinth/base'
import type { Message, NewMessage } from '../bus.ts'
import type { Disk } from '../disk.ts'
import { messagingFault } from '../faults.ts'
import type { Located } from '../groups/feed.ts'
import { GroupCommit } from './group-commit.ts'
import { messageBytes, readMessage, readOffset, readTopic, viewOf, writeMessage, writeOffset } from './message-codec.ts'
import { recordHeaderBytes } from './record.ts'
import type { RecordBatch } from './record-batch.ts'
import { type Segment, Segments, type SegmentsOptions } from './segments.ts'
import type { Topic, TopicIndex } from './topic-index.ts'

export interface MessageLogOptions {
  readonly disk: Disk
  readonly folder: string
  readonly clock: Clock
  readonly segmentBytes: number
  readonly payloadBytesMax: number
  /** Bytes that may wait for their write. */
  readonly stagedBytesMax: number
  readonly topicsMax: number
  /** Whether so many more bytes may be written. */
  readonly hasRoom: (bytes: number) => boolean
  /** What was saved of closed segments; what is missing is read again. */
  readonly index: TopicIndex
  readonly onRepaired?: SegmentsOptions['onRepaired']
  /** Messages that became durable, in order. */
  readonly onCommitted: (topic: Topic, located: Located) => void
  /** After the last one of a batch. */
  readonly onBatch: () => void
  /** A segment was closed. */
  readonly onClosed: (segment: Segment) => void
}

interface Staged {
  readonly topic: Topic
  readonly message: NewMessage
  offset: number
}

const readBytes = 256 * 1024
// Everything of a message but its payload: 30 fixed bytes, texts and headers at their bounds in UTF-8.
const envelopeBytesMax = 128 * 1024

/** All topics in one log, so that any number of publishers to any topics share one sync. */
export class MessageLog {
  readonly index: TopicIndex
  readonly #options: MessageLogOptions
  readonly #segments: Segments
  readonly #commits: GroupCommit<Staged>
  readonly #assigned = new Map<Topic, number>()
  #lastBase: number
  /** Wall time of the newest message of each segment. */
  readonly newestMs: Map<number, number> = new Map()

  private constructor(options: MessageLogOptions, segments: Segments) {
    this.#options = options
    this.#segments = segments
    this.index = options.index
    this.#lastBase = segments.all.at(-1)?.base ?? 0
    this.#commits = new GroupCommit({
      prepare: (batch) => this.#assign(batch),
      append: (batch) => segments.append(batch),
      committed: (batch, position) => this.#committed(batch, position),
      refused: (_batch, error) => error,
    })
  }

  static async open(options: MessageLogOptions): Promise<MessageLog> {
    const { disk, folder } = options
    const newest: { topic: string; offset: number; position: number; bytes: number }[] = []
    const segments = await Segments.open({
      disk,
      folder,
      segmentBytes: () => options.segmentBytes,
      bodyBytesMax: options.payloadBytesMax + envelopeBytesMax,
      onRecovered: (buffer, body) => newest.push(placeOf(buffer, body)),
      ...(options.onRepaired ? { onRepaired: options.onRepaired } : {}),
    })
    const log = new MessageLog(options, segments)
    try {
      await log.#readIndex()
      const { base } = segments.all.at(-1) as Segment
      for (const place of newest) log.#note(base, place)
    } catch (error) {
      await log.close()
      throw error
    }
    return log
  }

  get bytes(): number {
    return this.#segments.bytes
  }

  get segments(): readonly Segment[] {
    return this.#segments.all
  }

  /** Resolves when all messages are durable; they were checked before. */
  publish(messages: readonly NewMessage[]): Promise<void> {
    const batch = this.#commits.open
    let bytes = 0
    for (const message of messages) bytes += recordHeaderBytes + messageBytes(message)
    if (batch.length + bytes > this.#options.stagedBytesMax && batch.items.length > 0) {
      throw messagingFault('messaging.overloaded', 'Cannot publish now: too much waits for the disk', {
        retryAfterMs: 100,
      })
    }
    if (!this.#options.hasRoom(batch.length + bytes)) {
      throw messagingFault('messaging.full', 'Cannot publish: the log has used up its room', { retryAfterMs: 1000 })
    }
    // All or nothing: no record is staged before every topic has its place.
    for (const message of messages) this.topic(message.topic)
    for (const message of messages) {
      const at = batch.add(messageBytes(message), { topic: this.topic(message.topic), message, offset: 0 })
      writeMessage(batch.buffer, message, at)
    }
    return this.#commits.commit()
  }

  /** Messages of a topic, from a position or found by offset; undefined when there are none left. */
  async readFrom(
    topic: Topic,
    from: { offset: number; position: number | undefined },
  ): Promise<{ found: Located[]; position: number } | undefined> {
    const start = from.position ?? this.index.seek(topic, from.offset)
    if (start === undefined) return undefined
    const found: Located[] = []
    const position = await this.#segments.read(start, {
      bytesMax: readBytes,
      visit(buffer, body) {
        if (readTopic(buffer, body.from) !== topic.name) return
        const offset = readOffset(buffer, body.from)
        if (offset < from.offset) return
        found.push({ message: readMessage(buffer, body.from, body.to), offset, position: body.position })
      },
    })
    return { found, position }
  }

  /** The message at a position that {@link readFrom} told. */
  async readOne(position: number): Promise<Message> {
    const found: Message[] = []
    await this.#segments.read(position, {
      bytesMax: 4096,
      visit(buffer, body) {
        if (body.position === position) found.push(readMessage(buffer, body.from, body.to))
      },
    })
    const [message] = found
    if (message === undefined) {
      throw messagingFault('messaging.log_corrupt', `Cannot read a message: there is none at position ${position}`)
    }
    return message
  }

  /** Deletes the oldest segment. */
  async retire(): Promise<void> {
    const [oldest] = this.#segments.all
    if (oldest === undefined || this.#segments.all.length < 2) return
    this.index.retire(oldest.base)
    this.newestMs.delete(oldest.base)
    await this.#segments.retire()
  }

  async close(): Promise<void> {
    await this.#commits.idle()
    await this.#segments.close()
  }

  /** The topic, made when it is new. @throws PlatformError `messaging.too_many_topics`. */
  topic(name: string): Topic {
    const known = this.index.topics.get(name)
    if (known !== undefined) return known
    if (this.index.topics.size >= this.#options.topicsMax) {
      throw messagingFault(
        'messaging.too_many_topics',
        `Cannot make topic ${name}: there are ${this.index.topics.size}`,
      )
    }
    return this.index.ensure(name)
  }

  /** Offsets are given when the write starts: a batch that fails leaves no hole. */
  #assign(batch: RecordBatch<Staged>): void {
    this.#assigned.clear()
    for (let index = 0; index < batch.items.length; index++) {
      const staged = batch.items[index] as Staged
      staged.offset = this.#assigned.get(staged.topic) ?? staged.topic.next
      this.#assigned.set(staged.topic, staged.offset + 1)
      writeOffset(batch.buffer, staged.offset, batch.startOf(index) + recordHeaderBytes)
    }
  }

  #committed(batch: RecordBatch<Staged>, position: number): void {
    const last = this.#segments.all.at(-1) as Segment
    if (last.base !== this.#lastBase) {
      const closed = this.#segments.all.find((segment) => segment.base === this.#lastBase)
      this.#lastBase = last.base
      if (closed !== undefined) this.#options.onClosed(closed)
    }
    const { buffer, items } = batch
    for (let index = 0; index < items.length; index++) {
      const { topic, offset } = items[index] as Staged
      const start = batch.startOf(index)
      this.index.note(topic, { base: last.base, offset, position: position + start, bytes: batch.endOf(index) - start })
    }
    this.newestMs.set(last.base, this.#options.clock.nowMs())
    for (let index = 0; index < items.length; index++) {
      const { topic, message, offset } = items[index] as Staged
      const start = batch.startOf(index)
      const end = batch.endOf(index)
      const { key, id, type, headers, timeMs } = message
      const payload = viewOf(buffer, end - message.payload.length, end)
      const durable = {
        topic: topic.name,
        key,
        id,
        type,
        headers: { ...headers },
        payload,
        timeMs,
        offset: BigInt(offset),
      }
      this.#options.onCommitted(topic, { message: durable, offset, position: position + start })
    }
    this.#options.onBatch()
  }

  #note(base: number, place: { topic: string; offset: number; position: number; bytes: number }): void {
    this.index.note(this.index.ensure(place.topic), { base, ...place })
    this.newestMs.set(base, this.#options.clock.nowMs())
  }

  /** Reads the closed segments of which nothing was saved. */
  async #readIndex(): Promise<void> {
    const all = this.#segments.all
    const known = new Set<number>()
    for (const topic of this.index.topics.values()) for (const part of topic.parts) known.add(part.base)
    for (const segment of all.slice(0, -1)) {
      if (known.has(segment.base)) continue
      const visit = (buffer: Buffer, body: { from: number; to: number; position: number }) =>
        this.#note(segment.base, placeOf(buffer, body))
      let position = segment.base
      const end = segment.base + segment.size
      while (position < end) position = await this.#segments.read(position, { bytesMax: 1 << 20, visit })
    }
    for (const topic of this.index.topics.values()) topic.parts.sort((a, b) => a.base - b.base)
  }
}

function placeOf(buffer: Buffer, body: { from: number; to: number; position: number }) {
  const { from, to, position } = body
  return {
    topic: readTopic(buffer, from),
    offset: readOffset(buffer, from),
    position,
    bytes: to - from + recordHeaderBytes,
  }
}
