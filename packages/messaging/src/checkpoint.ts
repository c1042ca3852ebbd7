import { type Clock, fromUnknown, type Timer } from '@plinth/base'
import { announce } from './announcements.ts'
import type { StateChange } from './bus-state.ts'
import type { Feed } from './groups/feed.ts'
import type { StateLog } from './log/state-log.ts'

export interface CheckpointOptions {
  readonly clock: Clock
  readonly delayMs: number
  /** Called after every checkpoint that was written. */
  readonly after: () => void
}

/** Gathers what changed and makes it durable a little later, all groups in one write. */
export class Checkpoint {
  readonly #state: StateLog<StateChange>
  readonly #options: CheckpointOptions
  readonly #feeds = new Set<Feed>()
  #changes: StateChange[] = []
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #closed = false

  constructor(state: StateLog<StateChange>, options: CheckpointOptions) {
    this.#state = state
    this.#options = options
  }

  /** The feed's progress changed. */
  touch(feed: Feed): void {
    this.#feeds.add(feed)
    if (this.#timer === undefined) this.#arm()
  }

  /** A change that may wait. */
  add(change: StateChange): void {
    this.#changes.push(change)
    if (this.#timer === undefined) this.#arm()
  }

  /** A change that somebody waits for. Those that waited before go first. */
  write(changes: readonly StateChange[]): Promise<void> {
    const earlier = this.#changes
    this.#changes = []
    return this.#state.write([...earlier, ...changes]).catch((error) => {
      this.#changes = [...earlier, ...this.#changes]
      throw error
    })
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#writing
    await this.#save()
  }

  #arm(): void {
    if (this.#closed) return
    this.#timer = this.#options.clock.setTimer(() => {
      this.#writing = this.#save().then(() => {
        this.#timer = undefined
        this.#writing = undefined
        if (this.#feeds.size > 0 || this.#changes.length > 0) this.#arm()
      })
    }, this.#options.delayMs)
  }

  async #save(): Promise<void> {
    const feeds = [...this.#feeds]
    if (feeds.length === 0 && this.#changes.length === 0) return
    this.#feeds.clear()
    try {
      await this.write(feeds.map(progressChange))
      this.#options.after()
    } catch (error) {
      // Nothing is lost but time: a crash now redelivers more.
      for (const feed of feeds) this.#feeds.add(feed)
      announce.fault({ doing: 'saving', fault: fromUnknown(error) })
    }
  }
}

export function progressChange(feed: Feed): StateChange {
  return { kind: 'progress', group: feed.group, topic: feed.topic.name, progress: feed.save() }
}
