import { AsyncLocalStorage } from 'node:async_hooks'
import { type Clock, PlatformError, sleep } from '@plinth/base'
import { commitChannel } from './announcements.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { sqliteCommitFault, sqliteFault } from './sqlite-faults.ts'
import { unitTooLong } from './time-limit.ts'
import { closedError } from './turnstile.ts'
import { runCallbacks, UnitOfWork } from './unit-of-work.ts'

/** Limits of the one writer of a SQLite store. */
export interface SqliteWriterOptions {
  readonly store: string
  readonly clock: Clock
  /** Units of work that may share one commit. */
  readonly batchUnitsMax: number
  /** After so long no further unit joins the running batch, in milliseconds. */
  readonly batchMs: number
  readonly queueMax: number
  readonly unitTimeoutMs: number
  /** How long a batch waits for another process to let go of the file, in milliseconds. */
  readonly lockWaitMs: number
}

interface QueuedUnit<Schema> {
  readonly work: (unit: UnitOfWork<Schema>) => Promise<unknown>
  /** Runs a function as the caller's own: his scope and trace, not those of whoever began the batch. */
  readonly asCaller: <T>(run: () => T) => T
  readonly signal: AbortSignal
  readonly onAbort: () => void
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  /** Tells when the unit left the queue. */
  queued: boolean
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: unknown }

interface Finished<Schema> {
  readonly queued: QueuedUnit<Schema>
  readonly outcome: Outcome
  readonly callbacks: readonly (() => void)[] | undefined
}

/**
 * The one writer of a SQLite file. Whatever became ready in this turn of the event loop joins one transaction: the
 * units run one after another, each in its own savepoint, and one commit (one fsync) makes them all durable. The
 * more wait, the more share; a lone unit waits for nobody.
 */
export class SqliteWriter<Schema> {
  readonly #connection: SqliteConnection
  readonly #options: SqliteWriterOptions
  #queue: QueuedUnit<Schema>[] = []
  #head = 0
  #turning = false
  #drained: (() => void) | undefined
  #kill: ((reason: unknown) => void) | undefined
  #unitStartedMs = 0

  constructor(connection: SqliteConnection, options: SqliteWriterOptions) {
    this.#connection = connection
    this.#options = options
  }

  write<T>(work: (unit: UnitOfWork<Schema>) => Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      if (this.#drained) return reject(closedError(this.#options.store))
      if (this.#waiting >= this.#options.queueMax) return reject(queueFull(this.#options))
      const queued: QueuedUnit<Schema> = {
        work,
        asCaller: AsyncLocalStorage.snapshot(),
        signal,
        onAbort: () => (queued.queued ? reject(signal.reason) : this.#kill?.(signal.reason)),
        resolve: resolve as (value: unknown) => void,
        reject,
        queued: true,
      }
      signal.addEventListener('abort', queued.onAbort, { once: true })
      this.#queue.push(queued)
      this.#schedule()
    })
  }

  /** Refuses new units and settles when those that wait are done. */
  async drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#drained = resolve
    if (!this.#turning) resolve()
    await promise
  }

  close(): void {
    this.#connection.close()
  }

  get #waiting(): number {
    return this.#queue.length - this.#head
  }

  #schedule(): void {
    if (this.#turning) return
    this.#turning = true
    // After the poll phase: every request that arrived in this turn has queued its unit by then.
    setImmediate(() => void this.#turn())
  }

  async #turn(): Promise<void> {
    await this.#batch()
    this.#turning = false
    if (this.#waiting > 0) this.#schedule()
    else this.#drained?.()
  }

  async #batch(): Promise<void> {
    const { clock, batchUnitsMax, batchMs } = this.#options
    const startedMs = clock.monotonicMs()
    const finished: Finished<Schema>[] = []
    let commitMs = 0
    let fault: PlatformError | undefined
    try {
      await this.#begin()
      using _watch = this.#watch()
      while (finished.length < batchUnitsMax) {
        const queued = this.#next()
        if (!queued) break
        finished.push(await this.#runUnit(queued))
        // A full disk makes the engine take back the whole transaction, not only the statement.
        if (!this.#connection.inTransaction) throw lostTransaction(finished.at(-1)?.outcome)
        if (clock.monotonicMs() - startedMs >= batchMs) break
      }
      const commitStartedMs = clock.monotonicMs()
      this.#connection.control('commit')
      commitMs = clock.monotonicMs() - commitStartedMs
    } catch (error) {
      fault = sqliteCommitFault(error)
      this.#rollback()
      if (finished.length === 0) this.#failQueued(fault)
    }
    if (finished.length > 0) this.#announce(finished.length, clock.monotonicMs() - startedMs, commitMs, fault)
    for (const unit of finished) settle(unit, fault)
  }

  /** Waits for another process in turns of the event loop: the engine's own waiting would block it. */
  async #begin(): Promise<void> {
    const { clock, lockWaitMs } = this.#options
    const startedMs = clock.monotonicMs()
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 50)) {
      try {
        this.#connection.control('begin immediate')
        return
      } catch (error) {
        const fault = sqliteFault(error)
        const isBusy = PlatformError.is(fault) && fault.code === 'data.busy'
        if (!isBusy || clock.monotonicMs() - startedMs >= lockWaitMs) throw error
        await sleep(clock, waitMs)
      }
    }
  }

  #next(): QueuedUnit<Schema> | undefined {
    while (this.#head < this.#queue.length) {
      const queued = this.#queue[this.#head++] as QueuedUnit<Schema>
      if (this.#head === this.#queue.length) {
        this.#queue = []
        this.#head = 0
      }
      queued.queued = false
      // An aborted one has been rejected by its listener.
      if (!queued.signal.aborted) return queued
    }
    return undefined
  }

  async #runUnit(queued: QueuedUnit<Schema>): Promise<Finished<Schema>> {
    const unit = new UnitOfWork<Schema>(this.#connection, queued.signal)
    let outcome: Outcome
    try {
      this.#connection.control('savepoint unit')
      outcome = await this.#outcomeOf(queued, unit)
      if (this.#connection.inTransaction) {
        if (!outcome.ok) this.#connection.control('rollback to savepoint unit')
        this.#connection.control('release savepoint unit')
      }
    } catch (reason) {
      // The engine refused transaction control: nothing of this batch can be trusted to be whole.
      outcome = { ok: false, reason: sqliteFault(reason) }
      this.#rollback()
    }
    queued.signal.removeEventListener('abort', queued.onAbort)
    unit.close()
    return { queued, outcome, callbacks: outcome.ok ? unit.callbacks : undefined }
  }

  async #outcomeOf(queued: QueuedUnit<Schema>, unit: UnitOfWork<Schema>): Promise<Outcome> {
    this.#unitStartedMs = this.#options.clock.monotonicMs()
    const outcome = await new Promise<Outcome>((resolve) => {
      this.#kill = (reason) => {
        unit.end(reason)
        resolve({ ok: false, reason })
      }
      queued
        .asCaller(async () => queued.work(unit))
        .then(
          (value) => resolve({ ok: true, value }),
          (reason) => resolve({ ok: false, reason }),
        )
    })
    this.#kill = undefined
    // A caught failure still ends the unit: half of it has not happened.
    const failed = outcome.ok && unit.ended ? { ok: false as const, reason: unit.ended.reason } : outcome
    unit.close()
    return failed
  }

  /** One timer for the whole batch looks after the unit that runs. */
  #watch(): Disposable {
    const { clock, unitTimeoutMs } = this.#options
    const look = () => {
      const leftMs = this.#unitStartedMs + unitTimeoutMs - clock.monotonicMs()
      if (leftMs <= 0) this.#kill?.(unitTooLong(unitTimeoutMs))
      timer = clock.setTimer(look, leftMs > 0 ? leftMs : unitTimeoutMs)
    }
    let timer = clock.setTimer(look, unitTimeoutMs)
    return { [Symbol.dispose]: () => timer.cancel() }
  }

  #rollback(): void {
    if (!this.#connection.inTransaction) return
    try {
      this.#connection.control('rollback')
    } catch {
      // The engine has rolled back by itself; the next begin tells if it is beyond that.
    }
  }

  /** When not even a transaction begins, whoever waits hears why instead of waiting on. */
  #failQueued(fault: PlatformError): void {
    for (let queued = this.#next(); queued; queued = this.#next()) queued.reject(fault)
  }

  #announce(units: number, durationMs: number, commitMs: number, fault: PlatformError | undefined): void {
    if (!commitChannel.hasSubscribers) return
    const { store } = this.#options
    const failed = fault === undefined ? {} : { failed: fault.code }
    commitChannel.publish({ store, units, durationMs, commitMs, queued: this.#waiting, ...failed })
  }
}

function settle<Schema>(unit: Finished<Schema>, fault: PlatformError | undefined): void {
  const { queued, outcome, callbacks } = unit
  // A refusal, too, may rest on what an earlier unit of the batch wrote; if that is lost, so is the refusal.
  if (fault) queued.reject(fault)
  else if (outcome.ok) queued.resolve(outcome.value)
  else queued.reject(outcome.reason)
  if (!fault && callbacks) queued.asCaller(() => runCallbacks(callbacks))
}

function lostTransaction(last: Outcome | undefined): unknown {
  const cause = last && !last.ok ? last.reason : undefined
  if (PlatformError.is(cause)) return cause
  return new PlatformError('Cannot commit: the engine took the transaction back', {
    kind: 'unavailable',
    code: 'data.commit_failed',
    cause,
  })
}

function queueFull(options: SqliteWriterOptions): PlatformError {
  return new PlatformError(`Cannot queue the unit of work: ${options.queueMax} wait already`, {
    kind: 'exhausted',
    code: 'data.queue_full',
    retryAfterMs: 100,
    details: { queueMax: options.queueMax },
  })
}
