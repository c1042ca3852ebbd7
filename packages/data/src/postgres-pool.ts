import { type Clock, PlatformError, type Secret } from '@plinth/base'
import pg from 'pg'
import { type PoolAnnouncement, poolChannel } from './announcements.ts'
import { postgresFault } from './postgres-faults.ts'
import { PostgresSession, postgresTypes } from './postgres-session.ts'
import { withinTime } from './time-limit.ts'
import { closedError, Turnstile } from './turnstile.ts'

export interface PostgresPoolOptions {
  readonly url: Secret
  readonly name: string
  readonly schema: string
  readonly clock: Clock
  readonly poolMax: number
  readonly queueMax: number
  readonly acquireTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly lifetimeMs: number
  readonly unitTimeoutMs: number
  readonly statementTimeoutMs: number
}

/** A connection taken from the pool; {@link giveBack} is called exactly once. */
export interface Lease {
  readonly session: PostgresSession
  readonly isSpoilt: boolean
  /** Says that nobody knows what state the connection is in: it is closed and what it runs is ended. */
  spoil(): void
  giveBack(): void
}

// Long enough for a login and one statement; a server that is slower ends the statement by its own time limit.
const cancelTimeoutMs = 2000

/** Connections to one PostgreSQL server: bounded in number, in the queue for them and in the wait. */
export class PostgresPool {
  readonly #options: PostgresPoolOptions
  readonly #config: pg.ClientConfig
  readonly #pool: pg.Pool
  readonly #turnstile: Turnstile
  #isClosed = false

  constructor(options: PostgresPoolOptions) {
    this.#options = options
    this.#config = {
      connectionString: options.url.reveal(),
      connectionTimeoutMillis: options.acquireTimeoutMs,
      application_name: `plinth ${options.name}`,
      // The schema name is an identifier checked by the store.
      options: `-c search_path=${options.schema}`,
      statement_timeout: options.statementTimeoutMs,
      // The server frees what a process that hangs holds, a while after the process itself should have.
      idle_in_transaction_session_timeout: options.unitTimeoutMs * 2,
      keepAlive: true,
      types: postgresTypes,
    }
    this.#pool = new pg.Pool({
      ...this.#config,
      max: options.poolMax,
      idleTimeoutMillis: options.idleTimeoutMs,
      maxLifetimeSeconds: options.lifetimeMs / 1000,
      allowExitOnIdle: true,
    })
    // Whoever uses the connection hears of its end by the statement that fails; without a listener Node would crash.
    this.#pool.on('connect', (client) => client.on('error', () => this.#announce('lost', 0)))
    this.#pool.on('error', () => {})
    this.#turnstile = new Turnstile({
      store: options.name,
      clock: options.clock,
      places: options.poolMax,
      queueMax: options.queueMax,
      waitMs: options.acquireTimeoutMs,
    })
  }

  /**
   * Takes a connection within `acquireTimeoutMs` of `startedMs`, the queue and the login included.
   *
   * @throws PlatformError `data.pool_exhausted`, `data.queue_full`, `data.connection_lost`, `data.cannot_open`.
   */
  async acquire(signal: AbortSignal, startedMs = this.#options.clock.monotonicMs()): Promise<Lease> {
    const { clock, acquireTimeoutMs, name } = this.#options
    // A unit between two of its runs holds no place; it finds the pool closed.
    if (this.#isClosed) throw closedError(name)
    try {
      await this.#turnstile.enter(signal)
    } catch (error) {
      this.#announce('exhausted', clock.monotonicMs() - startedMs)
      throw error
    }
    const connecting = this.#pool.connect()
    try {
      const timeoutMs = Math.max(1, acquireTimeoutMs - (clock.monotonicMs() - startedMs))
      const client = await withinTime(connecting, { clock, timeoutMs, signal, late: () => this.#tooLate() })
      this.#announce('acquired', clock.monotonicMs() - startedMs)
      return this.#lease(client)
    } catch (error) {
      // The place stays taken until the attempt has ended, so that there are never more connections than places.
      connecting
        .then((client) => client.release())
        .catch(() => {})
        .finally(() => this.#turnstile.leave())
      throw postgresFault(error)
    }
  }

  announceRetry(): void {
    this.#announce('retried', 0)
  }

  /** Waits for those inside, then closes every connection. */
  async close(): Promise<void> {
    await this.#turnstile.emptied()
    this.#isClosed = true
    await this.#pool.end()
  }

  #lease(client: pg.PoolClient): Lease {
    let isSpoilt = false
    return {
      session: new PostgresSession(client),
      get isSpoilt() {
        return isSpoilt
      },
      spoil() {
        isSpoilt = true
      },
      giveBack: () => {
        client.release(isSpoilt)
        if (!isSpoilt) return this.#turnstile.leave()
        // Closing alone does not end a statement: the server notices when it has rows to send.
        const { processID } = client as { processID?: number | null }
        void this.#terminate(processID).finally(() => this.#turnstile.leave())
      },
    }
  }

  async #terminate(processId: number | null | undefined): Promise<void> {
    if (typeof processId !== 'number') return
    const client = new pg.Client({
      ...this.#config,
      connectionTimeoutMillis: cancelTimeoutMs,
      query_timeout: cancelTimeoutMs,
    })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select pg_terminate_backend($1)', [processId])
    } catch {
      // The server is gone, or ends the statement by its own time limit.
    } finally {
      await client.end().catch(() => {})
    }
  }

  #tooLate(): PlatformError {
    const { name, acquireTimeoutMs } = this.#options
    return new PlatformError(`Cannot connect the store "${name}": no answer within ${acquireTimeoutMs} ms`, {
      kind: 'unavailable',
      code: 'data.connection_lost',
    })
  }

  #announce(event: PoolAnnouncement['event'], waitedMs: number): void {
    if (!poolChannel.hasSubscribers) return
    const { totalCount: total, idleCount: idle } = this.#pool
    poolChannel.publish({ store: this.#options.name, event, total, idle, waiting: this.#turnstile.waiting, waitedMs })
  }
}
