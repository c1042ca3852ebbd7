import { type Clock, fromUnknown, type Timer } from '@plinth/base'
import { announce } from './announcements.ts'
import type { BusInside } from './bus-inside.ts'
import type { StateChange } from './bus-state.ts'
import type { Segment } from './log/segments.ts'

const lookEveryMs = 60_000

/** Deletes old segments: the oldest first, whole ones, and the one being written never. */
export class Retention {
  readonly #bus: BusInside
  readonly #clock: Clock
  #timer: Timer | undefined
  #running: Promise<void> | undefined
  #stopped = false

  constructor(bus: BusInside, clock: Clock) {
    this.#bus = bus
    this.#clock = clock
    this.#look()
  }

  /** Deletes what may go, in the background. Cheap when there is nothing. */
  run(): void {
    if (this.#running || this.#stopped || !this.#due()) return
    this.#running = this.#retire().finally(() => {
      this.#running = undefined
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#running
  }

  #look(): void {
    if (this.#stopped) return
    this.run()
    this.#timer = this.#clock.setTimer(() => this.#look(), lookEveryMs)
  }

  #due(): Segment | undefined {
    const { log, options } = this.#bus
    const [oldest, next] = log.segments
    if (oldest === undefined || next === undefined) return undefined
    // A whole segment of the budget stays free for what is published while the oldest one goes.
    const bytes = Math.min(options.retainBytes, options.bytesMax - 2 * options.segmentBytes)
    const newestMs = log.newestMs.get(oldest.base) ?? this.#clock.nowMs()
    const tooMuch = log.bytes - oldest.size >= bytes
    const tooOld = this.#clock.nowMs() - newestMs > options.retainMs
    if (!tooMuch && !tooOld) return undefined
    return options.dropUnread || !this.#isWanted(oldest.base) ? oldest : undefined
  }

  /** Whether some group has not handled all that the segment holds. */
  #isWanted(base: number): boolean {
    for (const feed of this.#bus.feeds.values()) {
      const [part] = feed.topic.parts
      if (part?.base === base && feed.committed < part.next) return true
    }
    return false
  }

  async #retire(): Promise<void> {
    const { log } = this.#bus
    try {
      for (let segment = this.#due(); segment && !this.#stopped; segment = this.#due()) {
        const topics: StateChange[] = log.index
          .partsOf(segment.base)
          .map(([topic]) => ({ kind: 'topic', topic, next: log.topic(topic).next }))
        // Where the offsets go on is durable before the messages that tell it are gone.
        await this.#bus.write([...topics, { kind: 'segment_end', base: segment.base }])
        await log.retire()
      }
    } catch (error) {
      announce.fault({ doing: 'retaining', fault: fromUnknown(error) })
    }
  }
}
