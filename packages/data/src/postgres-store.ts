import {
  type Clock,
  createSystemRandom,
  PlatformError,
  type Random,
  type Secret,
  sleep,
  systemClock,
} from '@plinth/base'
import { currentScope } from '@plinth/concurrency'
import { checkBounds } from './option-bounds.ts'
import { isConnectionLost, isWorthAnotherRun, postgresFault } from './postgres-faults.ts'
import { type Lease, PostgresPool } from './postgres-pool.ts'
import { begin, type Committed, complete } from './postgres-transaction.ts'
import { type MigratableStore, type SchemaAccess, schemaAccess } from './schema-access.ts'
import type { SqlReader, SqlWriter, WriteOptions } from './sql-store.ts'
import { type Statement, sql } from './statement.ts'
import { closedError, Turnstile } from './turnstile.ts'
import { insideTransaction, refuseNested } from './unit-guard.ts'
import { runCallbacks, type UnitOfWork } from './unit-of-work.ts'

/** Where a PostgreSQL store lives and what it may use. */
export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`. Shown nowhere. */
  readonly url: Secret
  /** The store's own schema, made if missing: a plain lower-case identifier. @default 'public' */
  readonly schema?: string
  /** For announcements and messages. @default the schema */
  readonly name?: string
  /** @default systemClock */
  readonly clock?: Clock
  /** Spreads the runs of units that lost a race. @default the system's */
  readonly random?: Random
  /** Connections at once; 1 to 1,000. @default 10 */
  readonly poolMax?: number
  /** Transactions that may wait for one; 1 to 1,000,000. @default 10000 */
  readonly queueMax?: number
  /** The longest wait for a connection, the queue and the login included, in milliseconds; 1 to 600,000. @default 5000 */
  readonly acquireTimeoutMs?: number
  /** The longest a transaction may be open, in milliseconds; 1 to 600,000. @default 5000 */
  readonly unitTimeoutMs?: number
  /** The longest the server works on one statement, in milliseconds; 1 to 600,000. @default unitTimeoutMs */
  readonly statementTimeoutMs?: number
  /** How often a unit that lost a race is run in all; 1 to 100. @default 10 */
  readonly attemptsMax?: number
  /** A connection unused for so long is closed, in milliseconds; 1,000 to 86,400,000. @default 30000 */
  readonly idleTimeoutMs?: number
  /** A connection older than this is replaced, in milliseconds; 1,000 to 86,400,000. @default 1800000 */
  readonly lifetimeMs?: number
}

// Serialisable and nothing weaker: the port promises it, and under repeatable read two units that each read what
// the other writes both commit (write skew: two last seats sold).
const beginWrite = 'begin isolation level serializable'
// One snapshot for all statements; not serialisable, which a reader alone does not need and would pay for in retries.
const beginRead = 'begin isolation level repeatable read read only'
const tryLock = sql<{ space: number }, { locked: number }>`
  select pg_try_advisory_lock(${'space'}, hashtext(current_schema())) as locked`
// Any number will do as long as nobody else locks in its space: "plin" in ASCII.
const lockSpace = 0x706c696e
// A unit that lost twice runs alone among the writers of its process: then nobody here can make it lose again, and
// two hundred buyers of one last unit end in a queue instead of giving up by the luck of the draw.
const aloneFrom = 3
const backoffMinMs = 4
const backoffMaxMs = 200

/**
 * Opens a PostgreSQL database (15 and later) as an {@link SqlStore}, in a schema of its own. Units of work are
 * SERIALIZABLE; one that loses a race is run again, up to `attemptsMax` times.
 *
 * @throws PlatformError `data.cannot_open` when the server refuses the login, `data.connection_lost` when there is none.
 * @throws TypeError for a malformed url or schema; RangeError when an option is out of bounds.
 */
export async function openPostgresStore<Schema = unknown>(
  options: PostgresStoreOptions,
): Promise<MigratableStore<Schema>> {
  const store = new PostgresStore<Schema>(resolvePostgresStoreOptions(options))
  try {
    await store.prepare()
    return store
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

type Resolved = Required<PostgresStoreOptions>

class PostgresStore<Schema> implements MigratableStore<Schema> {
  readonly dialect = 'postgres'
  readonly #options: Resolved
  readonly #pool: PostgresPool
  readonly #writers: Turnstile
  #closing: Promise<void> | undefined

  constructor(options: Resolved) {
    this.#options = options
    this.#pool = new PostgresPool(options)
    const { name: store, clock, poolMax: places, queueMax, acquireTimeoutMs: waitMs } = options
    this.#writers = new Turnstile({ store, clock, places, queueMax, waitMs })
  }

  async read<T>(work: (tx: SqlReader<Schema>) => Promise<T>, options?: WriteOptions): Promise<T> {
    refuseNested(this)
    if (this.#closing) throw closedError(this.#options.name)
    const signal = options?.signal ?? currentScope().signal
    const startedMs = this.#options.clock.monotonicMs()
    const { value } = await this.#transaction(beginRead, work, { signal, startedMs })
    return value
  }

  async write<T>(work: (tx: SqlWriter<Schema>) => Promise<T>, options?: WriteOptions): Promise<T> {
    refuseNested(this)
    if (this.#closing) throw closedError(this.#options.name)
    const signal = options?.signal ?? currentScope().signal
    const { clock, random, attemptsMax, poolMax } = this.#options
    for (let attempt = 1; ; attempt++) {
      try {
        const { value, callbacks } = await this.#writing(attempt < aloneFrom ? 1 : poolMax, work, signal)
        runCallbacks(callbacks)
        return value
      } catch (error) {
        if (!isWorthAnotherRun(error) || attempt === attemptsMax) throw error
        this.#pool.announceRetry()
        await sleep(clock, random.next() * Math.min(backoffMinMs * 2 ** attempt, backoffMaxMs), signal)
      }
    }
  }

  get [schemaAccess](): SchemaAccess {
    return {
      exclusively: async (work, { lockWaitMs, stepTimeoutMs: timeoutMs, signal }) => {
        const lease = await this.#pool.acquire(signal)
        try {
          await this.#lockSchema(lease, lockWaitMs, signal)
          await lease.session.script(`set statement_timeout = ${timeoutMs}`)
          return await work(async (run) => {
            await begin(lease, 'begin')
            const { clock } = this.#options
            const { value } = await complete(lease, run, { end: 'commit', clock, timeoutMs, signal })
            return value
          })
        } finally {
          // The lock and the setting belong to the connection and end with it.
          lease.spoil()
          lease.giveBack()
        }
      },
    }
  }

  /** Makes the schema unless it is there. */
  async prepare(): Promise<void> {
    const { schema } = this.#options
    const lease = await this.#pool.acquire(currentScope().signal)
    try {
      await lease.session.script(`create schema if not exists ${schema}`)
    } catch (error) {
      const fault = postgresFault(error)
      // Two processes that make it at the same moment: the loser finds it made.
      if (!(PlatformError.is(fault) && fault.code === 'data.unique_violation')) throw fault
    } finally {
      lease.giveBack()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#writers.emptied()
    await this.#pool.close()
  }

  async #writing<T>(
    weight: number,
    work: (tx: UnitOfWork<Schema>) => Promise<T>,
    signal: AbortSignal,
  ): Promise<Committed<T>> {
    const startedMs = this.#options.clock.monotonicMs()
    await this.#writers.enter(signal, weight)
    try {
      return await this.#transaction(beginWrite, work, { signal, startedMs })
    } finally {
      this.#writers.leave(weight)
    }
  }

  async #transaction<T>(
    beginText: string,
    work: (tx: UnitOfWork<Schema>) => Promise<T>,
    limits: { readonly signal: AbortSignal; readonly startedMs: number },
  ): Promise<Committed<T>> {
    const { clock, unitTimeoutMs: timeoutMs } = this.#options
    const { signal } = limits
    const lease = await this.#begun(beginText, limits)
    try {
      const inside = (unit: UnitOfWork<Schema>) => insideTransaction(this, async () => work(unit))
      const end = beginText === beginRead ? 'rollback' : 'commit'
      return await complete(lease, inside, { end, clock, timeoutMs, signal })
    } finally {
      lease.giveBack()
    }
  }

  async #begun(
    beginText: string,
    { signal, startedMs }: { readonly signal: AbortSignal; readonly startedMs: number },
  ): Promise<Lease> {
    for (let attempt = 0; ; attempt++) {
      const lease = await this.#pool.acquire(signal, startedMs)
      try {
        await begin(lease, beginText)
        return lease
      } catch (error) {
        lease.giveBack()
        // After a restart of the server every idle connection is dead, and nothing has been done on this one yet.
        if (!isConnectionLost(error) || attempt === this.#options.poolMax) throw error
      }
    }
  }

  async #lockSchema(lease: Lease, lockWaitMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    // In turns, so that neither a statement time limit nor an abort has to reach a lock that waits on the server.
    for (const startedMs = clock.monotonicMs(); ; ) {
      const row = await lease.session.get(tryLock as Statement<never, unknown>, { space: lockSpace })
      if (row?.locked === 1) return
      if (clock.monotonicMs() - startedMs >= lockWaitMs) throw migrationBusy()
      await sleep(clock, 50, signal)
    }
  }
}

function migrationBusy(): PlatformError {
  return new PlatformError('Cannot migrate: another process is at it', { kind: 'unavailable', code: 'data.busy' })
}

const schemaPattern = /^[a-z][a-z0-9_]{0,62}$/

function resolvePostgresStoreOptions(options: PostgresStoreOptions): Resolved {
  const schema = options.schema ?? 'public'
  // No cause and no value in these messages: the url holds the password.
  if (!/^postgres(ql)?:\/\//.test(options.url.reveal()) || !URL.canParse(options.url.reveal())) {
    throw new TypeError('Cannot open the store: url is not a postgres:// URL')
  }
  if (!schemaPattern.test(schema)) {
    throw new TypeError(`Cannot open the store: schema "${schema}" is not a lower-case identifier`)
  }
  const unitTimeoutMs = options.unitTimeoutMs ?? 5000
  const resolved: Resolved = {
    url: options.url,
    schema,
    name: options.name ?? schema,
    clock: options.clock ?? systemClock,
    random: options.random ?? createSystemRandom(),
    poolMax: options.poolMax ?? 10,
    queueMax: options.queueMax ?? 10_000,
    acquireTimeoutMs: options.acquireTimeoutMs ?? 5000,
    unitTimeoutMs,
    statementTimeoutMs: options.statementTimeoutMs ?? unitTimeoutMs,
    attemptsMax: options.attemptsMax ?? 10,
    idleTimeoutMs: options.idleTimeoutMs ?? 30_000,
    lifetimeMs: options.lifetimeMs ?? 1_800_000,
  }
  checkBounds('PostgreSQL store', {
    poolMax: [resolved.poolMax, 1, 1000],
    queueMax: [resolved.queueMax, 1, 1_000_000],
    acquireTimeoutMs: [resolved.acquireTimeoutMs, 1, 600_000],
    unitTimeoutMs: [resolved.unitTimeoutMs, 1, 600_000],
    statementTimeoutMs: [resolved.statementTimeoutMs, 1, 600_000],
    attemptsMax: [resolved.attemptsMax, 1, 100],
    idleTimeoutMs: [resolved.idleTimeoutMs, 1000, 86_400_000],
    lifetimeMs: [resolved.lifetimeMs, 1000, 86_400_000],
  })
  return Object.freeze(resolved)
}
