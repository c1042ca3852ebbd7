import type { Clock, Timer } from '@plinth/base'
import type { Message } from '../bus.ts'
import { Fifo } from '../fifo.ts'
import type { Topic } from '../log/topic-index.ts'
import type { Member, WorkSource } from './member.ts'
import { type Entry, Progress, type SavedProgress } from './progress.ts'

/** A durable message and where it lies. */
export interface Located {
  readonly message: Message
  readonly offset: number
  readonly position: number
}

/** What a feed asks of the bus. */
export interface FeedHost {
  readonly clock: Clock
  readonly limits: FeedLimits
  /**
   * Messages of the topic from `offset` on, in order: about 256 KiB of the log, perhaps none of it
   * of this topic. Undefined when all of them are gone.
   */
  readFrom(
    topic: Topic,
    from: { offset: number; position: number | undefined },
  ): Promise<{ readonly found: readonly Located[]; readonly position: number } | undefined>
  readOne(position: number): Promise<Message>
  /** Makes a dead letter durable. */
  bury(feed: Feed, dead: { entry: Entry<Message>; message: Message; error: unknown }): Promise<void>
  /** A replayed letter was handled. */
  letterDone(seq: number): void
  /** Progress changed and wants saving soon. */
  dirty(feed: Feed): void
  /** Retention took messages before the group had read them, as it was configured to. */
  gap(feed: Feed, lost: { readonly from: number; readonly to: number }): void
  /** The log could not be read; the feed stands still. */
  failed(feed: Feed, error: unknown): void
}

export interface FeedLimits {
  /** Messages in memory, waiting or being handled, per group and topic. */
  readonly pendingMessages: number
  readonly pendingBytes: number
  /** How far a group may run ahead of its oldest message that is not handled, in messages. */
  readonly windowMessages: number
}

/** The messages of one key that wait, in order, and the one under way. */
interface Lane {
  readonly key: string
  readonly queue: Fifo<Entry<Message>>
  pause: Timer | undefined
}

/** One group's way through one topic: admits messages in order, hands them out by key, remembers what is done. */
export class Feed implements WorkSource {
  readonly group: string
  readonly topic: Topic
  readonly #host: FeedHost
  readonly #progress: Progress<Message>
  readonly #lanes = new Map<string, Lane>()
  readonly #ready = new Fifo<Lane>()
  readonly #members: Member[] = []
  #turn = 0
  #position: number | undefined
  #pulling = false
  #pending = 0
  #pendingBytes = 0
  #closed = false

  constructor(of: { group: string; topic: Topic; saved: SavedProgress }, host: FeedHost) {
    this.group = of.group
    this.topic = of.topic
    this.#host = host
    this.#progress = new Progress(of.saved)
  }

  get committed(): number {
    return this.#progress.committed
  }

  get lag(): number {
    return Math.max(0, this.topic.next - this.#progress.committed - this.#progress.doneAbove)
  }

  get active(): boolean {
    return this.#members.length > 0
  }

  save(): SavedProgress {
    return this.#progress.save()
  }

  join(member: Member): void {
    this.#members.push(member)
    member.feeds.push(this)
  }

  leave(member: Member): void {
    const at = this.#members.indexOf(member)
    if (at >= 0) this.#members.splice(at, 1)
  }

  /** Stops for good: timers end, nothing is handed out or noted any more. */
  close(): void {
    this.#closed = true
    for (const lane of this.#lanes.values()) lane.pause?.cancel()
  }

  /** A message of the topic became durable. Taken from memory if the feed is at the end of the log, else read later. */
  offer(located: Located): void {
    if (this.#pulling || located.offset !== this.#progress.next || !this.#hasRoom()) return
    this.#admit(located)
    this.#position = undefined
  }

  /** Hands out what is ready, and reads on if there is more in the log. */
  flow(): void {
    this.dispatch()
    if (!this.#pulling && this.#progress.next < this.topic.next && this.#hasRoom()) void this.#pull()
  }

  /** Hands out what is ready to members that are free. */
  dispatch(): void {
    while (this.#ready.size > 0 && !this.#closed) {
      const member = this.#freeMember()
      if (member === undefined) return
      const lane = this.#ready.shift() as Lane
      this.#start(lane, member)
    }
  }

  /** Puts a dead letter's message behind what waits of its key. */
  replay(letter: { readonly seq: number; readonly message: Message }): void {
    const { message, seq } = letter
    const { key, offset } = message
    const bytes = message.payload.length
    const entry = { offset: Number(offset), position: 0, key, message, bytes, attempts: 0, done: false, letter: seq }
    this.#pending++
    this.#pendingBytes += bytes
    this.#enqueue(entry)
  }

  #hasRoom(): boolean {
    const { pendingMessages, pendingBytes, windowMessages } = this.#host.limits
    return (
      this.#members.length > 0 &&
      !this.#closed &&
      this.#pending < pendingMessages &&
      this.#pendingBytes < pendingBytes &&
      this.#progress.windowSize < windowMessages
    )
  }

  #admit(located: Located): void {
    const { offset, position, message } = located
    const { key } = message
    const bytes = message.payload.length
    // Behind a message that is being tried again only the place is kept: however many follow, they take no room
    // that other keys need.
    const thin = this.#lanes.get(key)?.pause !== undefined
    const entry: Entry<Message> = {
      offset,
      position,
      key,
      message: thin ? undefined : message,
      bytes,
      attempts: 0,
      done: false,
      letter: undefined,
    }
    if (!this.#progress.admit(entry)) {
      this.#host.dirty(this)
      return
    }
    if (!thin) this.#hold(bytes)
    this.#enqueue(entry)
  }

  #enqueue(entry: Entry<Message>): void {
    let lane = this.#lanes.get(entry.key)
    if (lane === undefined) {
      lane = { key: entry.key, queue: new Fifo(), pause: undefined }
      this.#lanes.set(entry.key, lane)
      this.#ready.push(lane)
    }
    lane.queue.push(entry)
  }

  #hold(bytes: number): void {
    this.#pending++
    this.#pendingBytes += bytes
  }

  #freeMember(): Member | undefined {
    for (let count = this.#members.length; count > 0; count--) {
      this.#turn = (this.#turn + 1) % this.#members.length
      const member = this.#members[this.#turn] as Member
      if (member.free) return member
    }
    return undefined
  }

  #start(lane: Lane, member: Member): void {
    const entry = lane.queue.first() as Entry<Message>
    if (entry.message !== undefined) this.#run(lane, member, entry.message)
    else void this.#load(lane, entry)
  }

  #run(lane: Lane, member: Member, message: Message): void {
    const entry = lane.queue.first() as Entry<Message>
    member.handle(message, entry.attempts + 1, (failure) => {
      if (this.#closed) return
      if (failure === undefined) this.#settle(lane, entry, { buried: false })
      else this.#fail(lane, member, { entry, message, error: failure.error })
    })
  }

  async #load(lane: Lane, entry: Entry<Message>): Promise<void> {
    try {
      entry.message = await this.#host.readOne(entry.position)
    } catch (error) {
      if (!this.#closed) this.#host.failed(this, error)
      return
    }
    this.#hold(entry.bytes)
    this.#makeReady(lane)
  }

  #makeReady(lane: Lane): void {
    lane.pause = undefined
    if (this.#closed) return
    this.#ready.push(lane)
    this.dispatch()
  }

  #settle(lane: Lane, entry: Entry<Message>, how: { buried: boolean }): void {
    this.#pending--
    this.#pendingBytes -= entry.bytes
    lane.queue.shift()
    if (lane.queue.size > 0) this.#ready.push(lane)
    else this.#lanes.delete(lane.key)
    if (entry.letter === undefined) {
      this.#progress.finish(entry)
      this.#host.dirty(this)
    } else if (!how.buried) this.#host.letterDone(entry.letter)
    this.flow()
  }

  #fail(lane: Lane, member: Member, dead: { entry: Entry<Message>; message: Message; error: unknown }): void {
    // A handler that was told to stop has not failed: whoever comes next starts where it was.
    if (member.aborted) {
      this.#makeReady(lane)
      return
    }
    const { entry, message } = dead
    entry.attempts++
    if (entry.letter === undefined) this.#host.dirty(this)
    const { attemptsMax, backoffMinMs, backoffMaxMs } = member.retry
    if (entry.attempts >= attemptsMax) {
      void this.#bury(lane, dead, backoffMaxMs)
      return
    }
    // The payload is a view of everything that was written or read with it; waiting must not hold all that.
    if (entry.attempts === 1) entry.message = { ...message, payload: new Uint8Array(message.payload) }
    this.#pause(lane, Math.min(backoffMaxMs, backoffMinMs * 2 ** (entry.attempts - 1)))
  }

  #pause(lane: Lane, pauseMs: number): void {
    this.#letGo(lane)
    lane.pause = this.#host.clock.setTimer(() => this.#makeReady(lane), pauseMs)
    this.flow()
  }

  /** Drops what waits behind the first of a lane from memory; it is read again when its turn comes. */
  #letGo(lane: Lane): void {
    const first = lane.queue.first()
    for (const entry of lane.queue) {
      if (entry === first || entry.message === undefined || entry.letter !== undefined) continue
      entry.message = undefined
      this.#pending--
      this.#pendingBytes -= entry.bytes
    }
  }

  async #bury(
    lane: Lane,
    dead: { entry: Entry<Message>; message: Message; error: unknown },
    pauseMs: number,
  ): Promise<void> {
    try {
      await this.#host.bury(this, dead)
    } catch {
      // No room for dead letters, or no disk: the message must not be lost, so its key goes on waiting. The bus has
      // announced why.
      if (!this.#closed) this.#pause(lane, pauseMs)
      return
    }
    if (!this.#closed) this.#settle(lane, dead.entry, { buried: true })
  }

  #admitAll(read: { readonly found: readonly Located[]; readonly position: number }): void {
    this.#position = read.position
    for (const located of read.found) {
      const { next } = this.#progress
      if (located.offset < next) continue
      if (!this.#hasRoom()) {
        this.#position = located.position
        return
      }
      if (located.offset > next) this.#host.gap(this, { from: next, to: located.offset })
      this.#admit(located)
    }
  }

  async #pull(): Promise<void> {
    this.#pulling = true
    try {
      while (this.#progress.next < this.topic.next && this.#hasRoom()) {
        const { next: offset } = this.#progress
        const next = this.topic.next
        const read = await this.#host.readFrom(this.topic, { offset, position: this.#position })
        if (read === undefined) {
          this.#progress.skipTo(next)
          this.#host.gap(this, { from: offset, to: next })
        } else this.#admitAll(read)
        this.dispatch()
      }
    } catch (error) {
      if (!this.#closed) this.#host.failed(this, error)
      return
    }
    this.#pulling = false
    if (this.#progress.next < this.topic.next) return this.#hasRoom() ? this.flow() : undefined
    this.#position = undefined
  }
}
