import { write as writeAsync, writeSync } from 'node:fs'
import { type Clock, systemClock } from '@plinth/base'
import type { LogSink } from './sink.ts'

/** Bounds of a sink. */
export interface StreamSinkOptions {
  /**
   * UTF-16 units that may wait; past it the oldest lines are dropped and counted. For plain text that is bytes.
   * @default 8 Mi
   */
  readonly waitingCharsMax?: number
  /** How long to wait before a full pipe is tried again. @default 20 */
  readonly retryMs?: number
  /** @default systemClock */
  readonly clock?: Clock
}

const batchChars = 64 * 1024
const syncRetriesMax = 200

/**
 * Writes lines to an open file descriptor (1 is stdout, 2 is stderr), which stays open. Lines of one turn of the event loop leave
 * together, off the main thread, one batch at a time; a reader that stalls never stalls the process.
 *
 * Loss policy: drop the oldest waiting line, count it, and say so once lines get through. A batch that the system
 * refuses (`EPIPE`, `ENOSPC`) is counted as lost and the next one is tried. `flushSync` leaves the batch under way to
 * the thread that has it, so at the end of a process the last two batches may change places; a full pipe gets one second.
 *
 * @throws RangeError if an option is out of bounds.
 */
export function createStreamSink(fd: number, options: StreamSinkOptions = {}): LogSink {
  return new StreamSink(fd, options)
}

interface Batch {
  readonly bytes: Uint8Array
  at: number
  readonly lines: number
}

/** See {@link createStreamSink}; the file sink builds on it. */
export class StreamSink implements LogSink {
  readonly #fd: number
  readonly #clock: Clock
  readonly #waitingCharsMax: number
  readonly #retryMs: number
  #lines: string[] = []
  /** Index of the oldest waiting line; what stands before it has left. */
  #first = 0
  #waitingChars = 0
  /** The batch that is leaving, and how much of it has left. */
  #batch: Batch | undefined
  /** Whether the thread pool has the batch: then nobody else may write it. */
  #isWriting = false
  #busy: Promise<void> | undefined
  #closed = false
  #lostSinceReport = 0
  #listener: ((lost: number) => void) | undefined
  dropped = 0

  constructor(fd: number, options: StreamSinkOptions) {
    this.#fd = fd
    this.#clock = options.clock ?? systemClock
    this.#waitingCharsMax = options.waitingCharsMax ?? 8 * 1024 * 1024
    this.#retryMs = options.retryMs ?? 20
    if (!(this.#waitingCharsMax >= 1)) {
      throw new RangeError(`Cannot open a sink: waitingCharsMax is at least 1, received ${this.#waitingCharsMax}`)
    }
    if (!(this.#retryMs >= 1)) {
      throw new RangeError(`Cannot open a sink: retryMs is at least 1, received ${this.#retryMs}`)
    }
  }

  write(line: string): void {
    if (this.#closed) {
      this.#lose(1)
      return
    }
    this.#lines.push(line)
    this.#waitingChars += line.length
    while (this.#waitingChars > this.#waitingCharsMax) this.#dropOldest()
    this.#busy ??= this.#drain()
  }

  async flush(): Promise<void> {
    while (this.#busy) await this.#busy
  }

  flushSync(): void {
    if (this.#batch && !this.#isWriting) this.#writeSync(this.#batch)
    while (this.#first < this.#lines.length) this.#writeSync(this.#takeBatch())
  }

  onLoss(listener: (lost: number) => void): void {
    this.#listener = listener
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
    this.#closed = true
  }

  async #drain(): Promise<void> {
    // Whatever this turn of the loop still logs goes with the first batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#first < this.#lines.length) {
      this.#batch = this.#takeBatch()
      await this.#write(this.#batch)
      this.#batch = undefined
    }
    this.#busy = undefined
  }

  async #write(batch: Batch): Promise<void> {
    while (batch.at < batch.bytes.length) {
      this.#isWriting = true
      const outcome = await writeSome(this.#fd, batch)
      this.#isWriting = false
      if (typeof outcome === 'number') batch.at += outcome
      else if (isFull(outcome)) await new Promise<void>((resolve) => this.#clock.setTimer(resolve, this.#retryMs))
      else return this.#giveUp(batch)
    }
    if (this.#lostSinceReport > 0) this.#report()
  }

  #writeSync(batch: Batch): void {
    let retries = 0
    while (batch.at < batch.bytes.length) {
      try {
        batch.at += writeSync(this.#fd, batch.bytes, batch.at)
      } catch (error) {
        if (isFull(error) && retries++ < syncRetriesMax) pauseSync()
        else this.#giveUp(batch)
      }
    }
  }

  #giveUp(batch: Batch): void {
    batch.at = batch.bytes.length
    this.#lose(batch.lines)
  }

  #takeBatch(): Batch {
    let chars = 0
    let end = this.#first
    do chars += (this.#lines[end++] as string).length
    while (end < this.#lines.length && chars < batchChars)
    const taken = this.#lines.slice(this.#first, end)
    this.#waitingChars -= chars
    this.#first = end
    this.#compact()
    return { bytes: Buffer.from(taken.join('')), at: 0, lines: taken.length }
  }

  #dropOldest(): void {
    this.#waitingChars -= (this.#lines[this.#first] as string).length
    this.#lines[this.#first++] = ''
    this.#compact()
    this.#lose(1)
  }

  #compact(): void {
    if (this.#first < 4096 && this.#first < this.#lines.length) return
    if (this.#first * 2 < this.#lines.length) return
    this.#lines = this.#lines.slice(this.#first)
    this.#first = 0
  }

  #lose(lines: number): void {
    this.dropped += lines
    this.#lostSinceReport += lines
  }

  #report(): void {
    const lost = this.#lostSinceReport
    this.#lostSinceReport = 0
    this.#listener?.(lost)
  }
}

function writeSome(fd: number, { bytes, at }: Batch): Promise<number | Error> {
  return new Promise((resolve) => {
    writeAsync(fd, bytes, at, bytes.length - at, null, (error, written) => resolve(error ?? written))
  })
}

/** Gives the reader of a full pipe five milliseconds; nothing but waiting is left to a process that ends. */
function pauseSync(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
}

function isFull(error: unknown): boolean {
  return Error.isError(error) && 'code' in error && error.code === 'EAGAIN'
}
