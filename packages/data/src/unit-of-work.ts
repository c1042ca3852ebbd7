import type { Kysely } from 'kysely'
import type { SqlDialectName } from './dialect.ts'
import { createQueryBuilder } from './query-builder.ts'
import type { SchemaWriter } from './schema-access.ts'
import type { SqlWriter } from './sql-store.ts'
import type { Statement } from './statement.ts'
import { type BoundValue, bindPositional } from './values.ts'

/** A value now or later: SQLite answers at once, PostgreSQL over the network. */
type Soon<T> = T | Promise<T>

/** One connection, as a transaction uses it. */
export interface UnitSession {
  readonly dialect: SqlDialectName
  get(statement: Statement<never, unknown>, params: unknown): Soon<unknown>
  all(statement: Statement<never, unknown>, params: unknown): Soon<readonly unknown[]>
  run(statement: Statement<never, unknown>, params: unknown): Soon<{ readonly changes: number }>
  query(text: string, values: BoundValue[]): Soon<{ readonly rows: readonly unknown[]; readonly changes: number }>
  script(text: string): Soon<unknown>
  /** Makes a fault of what the engine threw; what is not the engine's comes back unchanged. */
  fault(reason: unknown): unknown
}

/**
 * One transaction as its work sees it. It ends with the work: whoever keeps it meets a closed door. A statement that
 * failed ends it too, even if the work caught the failure, so that both engines behave alike (PostgreSQL refuses
 * everything after one) and nothing is ever half committed.
 */
export class UnitOfWork<Schema> implements SqlWriter<Schema>, SchemaWriter {
  readonly dialect: SqlDialectName
  readonly #session: UnitSession
  readonly #signal: AbortSignal
  #ended: { readonly reason: unknown } | undefined
  #isClosed = false
  #query: Kysely<Schema> | undefined
  #callbacks: (() => void)[] | undefined

  constructor(session: UnitSession, signal: AbortSignal) {
    this.dialect = session.dialect
    this.#session = session
    this.#signal = signal
  }

  get query(): Kysely<Schema> {
    this.#query ??= createQueryBuilder<Schema>(this.dialect, async (text, parameters) => {
      this.#enter()
      try {
        return await this.#session.query(text, bindPositional(parameters))
      } catch (error) {
        throw this.#fail(error)
      }
    })
    return this.#query
  }

  /** Why the transaction ended before its time, if it did: a failed statement, the signal, the time limit. */
  get ended(): { readonly reason: unknown } | undefined {
    return this.#ended
  }

  get callbacks(): readonly (() => void)[] | undefined {
    return this.#callbacks
  }

  async get<Params, Row>(statement: Statement<Params, Row>, params: Params): Promise<Row | undefined> {
    this.#enter()
    try {
      return (await this.#session.get(statement as Statement<never, unknown>, params)) as Row | undefined
    } catch (error) {
      throw this.#fail(error)
    }
  }

  async all<Params, Row>(statement: Statement<Params, Row>, params: Params): Promise<readonly Row[]> {
    this.#enter()
    try {
      return (await this.#session.all(statement as Statement<never, unknown>, params)) as readonly Row[]
    } catch (error) {
      throw this.#fail(error)
    }
  }

  async run<Params>(statement: Statement<Params, unknown>, params: Params): Promise<{ readonly changes: number }> {
    this.#enter()
    try {
      return await this.#session.run(statement as Statement<never, unknown>, params)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  async script(text: string): Promise<void> {
    this.#enter()
    try {
      await this.#session.script(text)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  afterCommit(callback: () => void): void {
    this.#enter()
    this.#callbacks ??= []
    this.#callbacks.push(callback)
  }

  /** Ends the transaction before its time: from here on every use throws `reason`. The first reason stays. */
  end(reason: unknown): void {
    this.#ended ??= { reason }
  }

  /** Closes the door behind the work. */
  close(): void {
    this.#isClosed = true
  }

  #enter(): void {
    if (this.#ended) throw this.#ended.reason
    if (this.#isClosed) throw new TypeError('Cannot use tx: its transaction has ended')
    if (this.#signal.aborted) throw this.#fail(this.#signal.reason)
  }

  #fail(error: unknown): unknown {
    const reason = this.#session.fault(error)
    this.end(reason)
    return reason
  }
}

/** Calls what waits for the commit. A callback must not throw; if one does, that is a crash, not a failed commit. */
export function runCallbacks(callbacks: readonly (() => void)[] | undefined): void {
  if (!callbacks) return
  for (const callback of callbacks) {
    try {
      callback()
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
