import type { Clock, Timer } from '@plinth/base'
import type { FinishedSpan } from './span.ts'

export interface KeptSpansOptions {
  readonly recentMax: number
  readonly exportQueueMax: number
  readonly exportDelayMs: number
}

const batchMax = 512

/** Finished spans: a ring of the latest for reading, and a queue towards the exporter. Both bounded. */
export class KeptSpans {
  readonly #clock: Clock
  readonly #export: ((spans: readonly FinishedSpan[]) => Promise<void> | void) | undefined
  readonly #options: KeptSpansOptions
  readonly #ring: FinishedSpan[] = []
  #ringNext = 0
  #queue: FinishedSpan[] = []
  #timer: Timer | undefined
  #draining: Promise<void> | undefined
  kept = 0
  dropped = 0

  constructor(
    deps: { readonly clock: Clock; readonly export?: (spans: readonly FinishedSpan[]) => Promise<void> | void },
    options: KeptSpansOptions,
  ) {
    this.#clock = deps.clock
    this.#export = deps.export
    this.#options = options
  }

  add(span: FinishedSpan): void {
    this.kept++
    this.#ring[this.#ringNext] = span
    this.#ringNext = (this.#ringNext + 1) % this.#options.recentMax
    if (!this.#export) return
    this.#queue.push(span)
    // Cutting in bulk keeps the cost of a full queue constant for each span.
    if (this.#queue.length >= 2 * this.#options.exportQueueMax) this.#trim()
    if (this.#queue.length >= batchMax) void this.flush()
    else this.#timer ??= this.#clock.setTimer(() => void this.flush(), this.#options.exportDelayMs)
  }

  recent({ traceId, limit = 100 }: { readonly traceId?: string; readonly limit?: number }): FinishedSpan[] {
    const found: FinishedSpan[] = []
    const size = this.#ring.length
    for (let back = 1; back <= size && found.length < limit; back++) {
      const span = this.#ring[(this.#ringNext - back + size) % size] as FinishedSpan
      if (traceId === undefined || span.traceId === traceId) found.push(span)
    }
    return found
  }

  flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined
    })
    return this.#draining
  }

  async #drain(): Promise<void> {
    while (this.#export && this.#queue.length > 0) {
      this.#trim()
      const batch = this.#queue.splice(0, batchMax)
      try {
        await this.#export(batch)
      } catch {
        // The exporter knows why and says so itself; traces are worth less than the memory to keep them for later.
        this.dropped += batch.length
      }
    }
  }

  #trim(): void {
    const excess = this.#queue.length - this.#options.exportQueueMax
    if (excess <= 0) return
    this.#queue.splice(0, excess)
    this.dropped += excess
  }
}
