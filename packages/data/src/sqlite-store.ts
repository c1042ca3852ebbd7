import { mkdirSync } from 'node:fs'
import { dirname, parse } from 'node:path'
import { type Clock, PlatformError, sleep, systemClock } from '@plinth/base'
import { currentScope } from '@plinth/concurrency'
import { checkBounds } from './option-bounds.ts'
import { type MigratableStore, type SchemaAccess, type SchemaOptions, schemaAccess } from './schema-access.ts'
import type { SqlReader, SqlWriter, WriteOptions } from './sql-store.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { sqliteFault } from './sqlite-faults.ts'
import { SqliteWriter } from './sqlite-writer.ts'
import { unitTooLong, withinTime } from './time-limit.ts'
import { closedError, Turnstile } from './turnstile.ts'
import { insideTransaction, refuseNested } from './unit-guard.ts'
import { UnitOfWork } from './unit-of-work.ts'

/** Where a SQLite store lives and what it may use. */
export interface SqliteStoreOptions {
  /** Path of the database file; its folder is made. `-wal` and `-shm` files appear beside it. */
  readonly path: string
  /** For announcements and messages. @default the file's name without its ending */
  readonly name?: string
  /** @default systemClock */
  readonly clock?: Clock
  /** Read transactions at once, each on a connection of its own; 1 to 64. @default 4 */
  readonly readersMax?: number
  /** Units of work, and reads, that may wait; 1 to 1,000,000. @default 10000 */
  readonly queueMax?: number
  /** The longest wait for a reader connection, in milliseconds; 1 to 600,000. @default 5000 */
  readonly acquireTimeoutMs?: number
  /** The longest a transaction may be open, in milliseconds; 1 to 600,000. @default 5000 */
  readonly unitTimeoutMs?: number
  /** The longest wait for another process that writes, in milliseconds; 0 to 600,000. @default 5000 */
  readonly lockWaitMs?: number
  /** Units of work that may share one commit; 1 (an fsync each) to 10,000. @default 256 */
  readonly batchUnitsMax?: number
  /** After so long no further unit joins a running batch, in milliseconds; 0 to 1,000. @default 8 */
  readonly batchMs?: number
  /** Page cache of each connection, in KiB; 64 to 4,194,304. @default 8192 */
  readonly cacheKib?: number
  /** Pages of 4 KiB the file may grow to; 0 leaves it to the disk. @default 0 */
  readonly pagesMax?: number
}

/**
 * Opens (and creates) a SQLite database as an {@link SqlStore}: one writer with group commit, a few readers on
 * snapshots of their own. A commit is synced to disk before `write` resolves.
 *
 * @throws PlatformError `data.cannot_open`, `data.corrupt`, `data.busy`.
 * @throws RangeError when an option is out of bounds.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { mkdtempSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { migrate, openSqliteStore, sql } from '@plinth/data'
 *
 * await using store = await openSqliteStore({ path: join(mkdtempSync(join(tmpdir(), 'notes-')), 'notes.db') })
 * await migrate(store, [{ id: '0001_note', up: 'create table note (id text primary key, body text not null)' }])
 * const add = sql<{ id: string; body: string }>`insert into note (id, body) values (${'id'}, ${'body'})`
 * const body = sql<{ id: string }, { body: string }>`select body from note where id = ${'id'}`
 * await store.write((tx) => tx.run(add, { id: 'a', body: 'hello' }))
 * assert.deepEqual(await store.read((tx) => tx.get(body, { id: 'a' })), { body: 'hello' })
 * ```
 */
export async function openSqliteStore<Schema = unknown>(options: SqliteStoreOptions): Promise<MigratableStore<Schema>> {
  const resolved = resolveSqliteStoreOptions(options)
  try {
    mkdirSync(dirname(resolved.path), { recursive: true })
    return new SqliteStore<Schema>(resolved)
  } catch (error) {
    throw openFault(error)
  }
}

class SqliteStore<Schema> implements MigratableStore<Schema> {
  readonly dialect = 'sqlite'
  readonly #options: Required<SqliteStoreOptions>
  readonly #writer: SqliteWriter<Schema>
  readonly #readers: Turnstile
  readonly #idle: SqliteConnection[] = []
  #closing: Promise<void> | undefined

  constructor(options: Required<SqliteStoreOptions>) {
    this.#options = options
    const { name: store, clock, readersMax, queueMax, acquireTimeoutMs } = options
    this.#writer = new SqliteWriter<Schema>(new SqliteConnection(options.path, { ...options, readOnly: false }), {
      ...options,
      store,
    })
    this.#readers = new Turnstile({ store, clock, places: readersMax, queueMax, waitMs: acquireTimeoutMs })
  }

  async read<T>(work: (tx: SqlReader<Schema>) => Promise<T>, options?: WriteOptions): Promise<T> {
    refuseNested(this)
    if (this.#closing) throw closedError(this.#options.name)
    const signal = options?.signal ?? currentScope().signal
    await this.#readers.enter(signal)
    try {
      return await this.#readOn(this.#idle.pop() ?? this.#openReader(), work, signal)
    } finally {
      this.#readers.leave()
    }
  }

  async write<T>(work: (tx: SqlWriter<Schema>) => Promise<T>, options?: WriteOptions): Promise<T> {
    refuseNested(this)
    const signal = options?.signal ?? currentScope().signal
    return await this.#writer.write((unit) => insideTransaction(this, async () => work(unit)), signal)
  }

  get [schemaAccess](): SchemaAccess {
    return {
      // Every step begins with the one write lock of the file, so the steps of two processes never interleave.
      exclusively: (work, options) =>
        work((run) =>
          this.#untilFree(options, () =>
            this.#writer.write((unit) => insideTransaction(this, async () => run(unit)), options.signal),
          ),
        ),
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #readOn<T>(
    connection: SqliteConnection,
    work: (tx: SqlReader<Schema>) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const unit = new UnitOfWork<Schema>(connection, signal)
    try {
      connection.control('begin')
      const { clock, unitTimeoutMs: timeoutMs } = this.#options
      const late = () => {
        const fault = unitTooLong(timeoutMs)
        unit.end(fault)
        return fault
      }
      return await withinTime(
        insideTransaction(this, async () => work(unit)),
        { clock, timeoutMs, signal, late },
      )
    } finally {
      unit.close()
      this.#giveBack(connection)
    }
  }

  #giveBack(connection: SqliteConnection): void {
    try {
      if (connection.inTransaction) connection.control('rollback')
      this.#idle.push(connection)
    } catch {
      // A reader that cannot even end its transaction is replaced by a fresh one; it held no data.
      connection.close()
    }
  }

  #openReader(): SqliteConnection {
    try {
      return new SqliteConnection(this.#options.path, { ...this.#options, readOnly: true })
    } catch (error) {
      throw openFault(error)
    }
  }

  async #untilFree<T>(options: SchemaOptions, run: () => Promise<T>): Promise<T> {
    const { clock } = this.#options
    for (const startedMs = clock.monotonicMs(); ; ) {
      try {
        return await run()
      } catch (error) {
        const isBusy = PlatformError.is(error) && error.code === 'data.busy'
        if (!isBusy || clock.monotonicMs() - startedMs >= options.lockWaitMs) throw error
        await sleep(clock, 50, options.signal)
      }
    }
  }

  async #close(): Promise<void> {
    await Promise.all([this.#readers.emptied(), this.#writer.drained()])
    // Readers first: the last connection to close folds the log into the file and removes it.
    for (const reader of this.#idle) reader.close()
    this.#writer.close()
  }
}

function resolveSqliteStoreOptions(options: SqliteStoreOptions): Required<SqliteStoreOptions> {
  // A database in memory cannot have readers beside the writer.
  if (options.path === '' || options.path.startsWith(':') || options.path.startsWith('file:')) {
    throw new TypeError(`Cannot open "${options.path}" as a store: path is the path of a file`)
  }
  const resolved: Required<SqliteStoreOptions> = {
    path: options.path,
    name: options.name ?? parse(options.path).name,
    clock: options.clock ?? systemClock,
    readersMax: options.readersMax ?? 4,
    queueMax: options.queueMax ?? 10_000,
    acquireTimeoutMs: options.acquireTimeoutMs ?? 5000,
    unitTimeoutMs: options.unitTimeoutMs ?? 5000,
    lockWaitMs: options.lockWaitMs ?? 5000,
    batchUnitsMax: options.batchUnitsMax ?? 256,
    batchMs: options.batchMs ?? 8,
    cacheKib: options.cacheKib ?? 8192,
    pagesMax: options.pagesMax ?? 0,
  }
  checkBounds('SQLite store', {
    readersMax: [resolved.readersMax, 1, 64],
    queueMax: [resolved.queueMax, 1, 1_000_000],
    acquireTimeoutMs: [resolved.acquireTimeoutMs, 1, 600_000],
    unitTimeoutMs: [resolved.unitTimeoutMs, 1, 600_000],
    lockWaitMs: [resolved.lockWaitMs, 0, 600_000],
    batchUnitsMax: [resolved.batchUnitsMax, 1, 10_000],
    batchMs: [resolved.batchMs, 0, 1000],
    cacheKib: [resolved.cacheKib, 64, 4_194_304],
    pagesMax: [resolved.pagesMax, 0, 4_294_967_294],
  })
  return Object.freeze(resolved)
}

function openFault(error: unknown): unknown {
  const fault = sqliteFault(error)
  if (PlatformError.is(fault) || fault instanceof TypeError) return fault
  return new PlatformError('Cannot open the database file', {
    kind: 'unavailable',
    code: 'data.cannot_open',
    cause: error,
  })
}
