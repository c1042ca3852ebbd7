import { RecordBatch } from './record-batch.ts'

/** What a group commit calls, one batch at a time. */
export interface CommitSteps<Item> {
  /** Last chance to write into the batch: called right before its write. May throw to refuse the batch. */
  prepare(batch: RecordBatch<Item>): void
  /** Makes the batch durable. */
  append(batch: RecordBatch<Item>): Promise<number>
  /** The batch is durable and begins at `position`. */
  committed(batch: RecordBatch<Item>, position: number): void
  /** Nothing of the batch is visible; answers the fault its publishers get. */
  refused(batch: RecordBatch<Item>, error: unknown): unknown
}

/**
 * Shares one write and one sync among all that is staged while the one before runs. Nothing waits for company: a
 * write starts as soon as the disk is free, so one publisher alone has the latency of one sync.
 */
export class GroupCommit<Item> {
  readonly #steps: CommitSteps<Item>
  #open = new RecordBatch<Item>()
  #scheduled = false
  #running: Promise<void> | undefined

  constructor(steps: CommitSteps<Item>) {
    this.#steps = steps
  }

  /** Where to stage now. Stage whole publishes without waiting in between: a batch is all or nothing. */
  get open(): RecordBatch<Item> {
    return this.#open
  }

  /** Bytes staged and not yet on their way. */
  get stagedBytes(): number {
    return this.#open.length
  }

  /** Starts the write of what is staged, at the end of this turn of the event loop, or after the running one. Nothing staged is done. */
  commit(): Promise<void> {
    const { settled, items } = this.#open
    if (items.length === 0) return Promise.resolve()
    if (!this.#scheduled && !this.#running) {
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        this.#running = this.#run()
      })
    }
    return settled
  }

  /** Resolves when nothing is staged and nothing is being written. */
  async idle(): Promise<void> {
    while (this.#open.items.length > 0 || this.#running) {
      await (this.#running ?? this.commit().catch(() => {}))
    }
  }

  async #run(): Promise<void> {
    while (this.#open.items.length > 0) {
      const batch = this.#open
      this.#open = new RecordBatch()
      try {
        this.#steps.prepare(batch)
        const position = await this.#steps.append(batch)
        batch.resolve()
        this.#steps.committed(batch, position)
      } catch (error) {
        batch.reject(this.#steps.refused(batch, error))
      }
    }
    this.#running = undefined
  }
}
