import { type Clock, fromUnknown, PlatformError } from '@plinth/base'
import { announce } from './announcements.ts'
import type { Bus, BusAdmin, Message, NewMessage, SubscribeOptions, Subscription } from './bus.ts'
import type { BusInside } from './bus-inside.ts'
import { letterChange, RecoveredState, type StateChange, segmentChange } from './bus-state.ts'
import { Checkpoint, progressChange } from './checkpoint.ts'
import type { Disk } from './disk.ts'
import { messagingFault } from './faults.ts'
import { DeadLetters, type Letter } from './groups/dead-letters.ts'
import { Feed, type FeedHost } from './groups/feed.ts'
import { Member } from './groups/member.ts'
import type { SavedProgress } from './groups/progress.ts'
import { MessageLog } from './log/message-log.ts'
import { StateLog } from './log/state-log.ts'
import { firstOffset, type Topic } from './log/topic-index.ts'
import { createLogBusAdmin } from './log-bus-admin.ts'
import type { ResolvedLogBusOptions } from './log-bus-options.ts'
import { checkMessages } from './message-limits.ts'
import { Retention } from './retention.ts'
import { resolveSubscription } from './subscription-options.ts'

interface LogBusDeps {
  readonly clock: Clock
  readonly disk: Disk
  readonly lock: AsyncDisposable
}

const graceMsDefault = 5000

/** The bus over its two logs: one for messages, one for what groups have done with them. */
export class LogBus implements Bus, BusInside {
  readonly options: ResolvedLogBusOptions
  readonly letters: DeadLetters
  readonly feeds: Map<string, Feed> = new Map()
  readonly admin: BusAdmin
  /** Called after every batch that became durable; for tailing readers. */
  readonly batchListeners: Set<() => void> = new Set()
  readonly #deps: LogBusDeps
  readonly #members = new Set<Member>()
  readonly #touched = new Set<Feed>()
  readonly #feedsByTopic = new Map<Topic, Feed[]>()
  #log!: MessageLog
  #state!: StateLog<StateChange>
  #checkpoint!: Checkpoint
  #retention: Retention | undefined
  #closing: Promise<void> | undefined
  #flowing = false
  readonly #host: FeedHost

  private constructor(options: ResolvedLogBusOptions, deps: LogBusDeps) {
    this.options = options
    this.#deps = deps
    this.letters = new DeadLetters({ lettersMax: options.deadLettersMax, bytesMax: options.deadLetterBytesMax })
    this.#host = this.#hostOf(deps.clock)
    this.admin = createLogBusAdmin(this)
  }

  static async open(options: ResolvedLogBusOptions, deps: LogBusDeps): Promise<LogBus> {
    const bus = new LogBus(options, deps)
    await bus.#open()
    return bus
  }

  get log(): MessageLog {
    return this.#log
  }

  /** @throws PlatformError `messaging.closed`. */
  checkOpen(): void {
    if (this.#closing) throw messagingFault('messaging.closed', 'Cannot use the bus: it is closed')
  }

  async publish(messages: readonly NewMessage[], options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.checkOpen()
    options.signal?.throwIfAborted()
    checkMessages(messages, this.options.limits)
    if (messages.length === 0) return
    const durable = this.#log.publish(messages)
    try {
      await (options.signal ? orAborted(durable, options.signal) : durable)
    } catch (error) {
      throw publishFault(error)
    }
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    this.checkOpen()
    const resolved = resolveSubscription(options)
    const { topics, group, from } = resolved
    const member = new Member(options.handler, resolved)
    const fresh: Feed[] = []
    const feeds = topics.map((name) => {
      const known = this.feeds.get(`${group} ${name}`)
      if (known !== undefined) return known
      const topic = this.#log.topic(name)
      const committed = from === 'latest' ? topic.next : firstOffset(topic)
      const feed = this.#addFeed(group, topic, { committed, done: '', attempts: [] })
      fresh.push(feed)
      return feed
    })
    // A new group is durable before anything flows: from then on nothing published can pass it by.
    if (fresh.length > 0) await this.#checkpoint.write(fresh.map(progressChange))
    this.checkOpen()
    this.#members.add(member)
    for (const feed of feeds) feed.join(member)
    for (const feed of feeds) feed.flow()
    const close: Subscription['close'] = (how = {}) => this.#closeMember(member, how.graceMs ?? graceMsDefault)
    return { close, [Symbol.asyncDispose]: () => close() }
  }

  /** The group's feed of the topic, made when a letter outlived it. */
  feedOf(letter: Letter): Feed {
    const { group, message } = letter
    const known = this.feeds.get(`${group} ${message.topic}`)
    if (known !== undefined) return known
    const topic = this.#log.topic(message.topic)
    return this.#addFeed(group, topic, { committed: topic.next, done: '', attempts: [] })
  }

  /** Makes changes durable. */
  write(changes: readonly StateChange[]): Promise<void> {
    return this.#checkpoint.write(changes)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #open(): Promise<void> {
    const { options } = this
    const { clock, disk } = this.#deps
    const recovered = new RecoveredState()
    const onRepaired = announce.repaired
    this.#state = await StateLog.open<StateChange>({
      disk,
      folder: `${options.folder}/state`,
      onRecovered: (change) => recovered.apply(change),
      snapshot: () => this.#snapshot(),
      snapshotBytes: () => this.letters.bytes * 1.5 + this.feeds.size * 512,
      onRepaired,
    })
    this.#checkpoint = new Checkpoint(this.#state, {
      clock,
      delayMs: options.checkpointMs,
      after: () => this.#retention?.run(),
    })
    try {
      this.#log = await MessageLog.open({
        disk,
        folder: `${options.folder}/messages`,
        clock,
        segmentBytes: options.segmentBytes,
        payloadBytesMax: options.limits.payloadBytesMax,
        stagedBytesMax: options.stagedBytesMax,
        topicsMax: options.topicsMax,
        hasRoom: (bytes) => this.#hasRoom(bytes),
        index: recovered.index(),
        onRepaired,
        onCommitted: (topic, located) => {
          for (const feed of this.#feedsByTopic.get(topic) ?? []) {
            feed.offer(located)
            this.#touched.add(feed)
          }
        },
        onBatch: () => this.#batch(),
        onClosed: (segment) => {
          const newestMs = this.#log.newestMs.get(segment.base) ?? clock.nowMs()
          this.#checkpoint.add(segmentChange(this.#log.index, { base: segment.base, newestMs }))
        },
      })
    } catch (error) {
      await this.#state.close()
      throw error
    }
    for (const [base, { newestMs }] of recovered.segments) this.#log.newestMs.set(base, newestMs)
    this.#retention = new Retention(this, clock)
    recovered.fill(this.letters)
    for (const { group, topic, saved } of recovered.progress.values())
      this.#addFeed(group, this.#log.topic(topic), saved)
    for (const letter of this.letters) if (letter.replaying) this.feedOf(letter).replay(letter)
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#members].map((member) => this.#closeMember(member, graceMsDefault)))
    for (const listener of this.batchListeners) listener()
    for (const feed of this.feeds.values()) feed.close()
    await this.#retention?.stop()
    await this.#log.close()
    await this.#checkpoint.close()
    await this.#state.close()
    await this.#deps.lock[Symbol.asyncDispose]()
  }

  async #closeMember(member: Member, graceMs: number): Promise<void> {
    await member.close(this.#deps.clock, graceMs)
    this.#members.delete(member)
    // Its siblings in the group take over what it left waiting.
    for (const feed of member.feeds) feed.flow()
  }

  #addFeed(group: string, topic: Topic, saved: SavedProgress): Feed {
    if (this.feeds.size >= this.options.feedsMax) {
      throw messagingFault('messaging.overloaded', `Cannot add group ${group}: there are ${this.feeds.size} already`)
    }
    const feed = new Feed({ group, topic, saved }, this.#host)
    this.feeds.set(`${group} ${topic.name}`, feed)
    this.#feedsByTopic.set(topic, [...(this.#feedsByTopic.get(topic) ?? []), feed])
    return feed
  }

  #hostOf(clock: Clock): FeedHost {
    return {
      clock,
      limits: this.options,
      readFrom: (topic, from) => this.#log.readFrom(topic, from),
      readOne: (position) => this.#log.readOne(position),
      bury: (feed, dead) => this.#bury(feed, dead),
      letterDone: (seq) => {
        this.letters.remove(seq)
        this.#checkpoint.add({ kind: 'letter_end', seq })
      },
      dirty: (feed) => this.#checkpoint.touch(feed),
      gap: (feed, lost) => announce.gap({ group: feed.group, topic: feed.topic.name, ...lost }),
      failed: (feed, error) => {
        announce.fault({ doing: 'reading', group: feed.group, topic: feed.topic.name, fault: fromUnknown(error) })
      },
    }
  }

  async #bury(feed: Feed, dead: { entry: { attempts: number }; message: Message; error: unknown }): Promise<void> {
    const { message, entry } = dead
    const { group } = feed
    try {
      const known = this.letters.seqFor(group, message)
      if (this.letters.get(known) === undefined) this.letters.checkRoom(message)
      const letter: Letter = {
        seq: known,
        group,
        // A copy: the payload is a view of a whole write.
        message: { ...message, payload: new Uint8Array(message.payload) },
        attempts: entry.attempts,
        failure: describeFailure(dead.error),
        diedAtMs: this.#deps.clock.nowMs(),
        replaying: false,
      }
      await this.#checkpoint.write([letterChange(letter)])
      this.letters.put(letter)
      const { attempts, failure } = letter
      const { topic, id: messageId } = message
      announce.deadLetter({ group, topic, id: String(letter.seq), messageId, attempts, failure })
    } catch (error) {
      announce.fault({ doing: 'burying', group, topic: message.topic, fault: fromUnknown(error) })
      throw error
    }
  }

  #batch(): void {
    for (const listener of this.batchListeners) listener()
    if (this.#flowing) return
    this.#flowing = true
    // A turn later, so that publishers hear of their success before handlers take the turn.
    setImmediate(() => {
      this.#flowing = false
      const touched = [...this.#touched]
      this.#touched.clear()
      for (const feed of touched) feed.flow()
    })
  }

  #hasRoom(bytes: number): boolean {
    const fits = this.#log.bytes + bytes <= this.options.bytesMax
    if (!fits) this.#retention?.run()
    return fits
  }

  *#snapshot(): Iterable<StateChange> {
    for (const topic of this.#log.index.topics.values()) yield { kind: 'topic', topic: topic.name, next: topic.next }
    for (const { base } of this.#log.segments.slice(0, -1)) {
      yield segmentChange(this.#log.index, { base, newestMs: this.#log.newestMs.get(base) ?? 0 })
    }
    for (const letter of this.letters) yield letterChange(letter)
    for (const feed of this.feeds.values()) yield progressChange(feed)
  }
}

const failureLengthMax = 1000

function describeFailure(error: unknown): string {
  const fault = fromUnknown(error)
  // What nobody foresaw is told with its own words: operators read this, strangers do not.
  const message = fault.code === 'base.internal' && Error.isError(error) ? error.message : fault.message
  return `${fault.code}: ${message}`.slice(0, failureLengthMax)
}

function publishFault(error: unknown): unknown {
  const fault = fromUnknown(error)
  if (fault.code === 'base.disk_full') {
    return messagingFault('messaging.full', 'Cannot publish: the disk is full', { cause: error, retryAfterMs: 1000 })
  }
  if (PlatformError.is(error)) return error
  const isSystem = Error.isError(error) && 'syscall' in error
  if (isSystem) return messagingFault('messaging.disk_failed', 'Cannot publish: the disk failed', { cause: error })
  return error
}

/** Ends the wait, not the write: what is staged may still become durable. */
async function orAborted(durable: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([durable, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
