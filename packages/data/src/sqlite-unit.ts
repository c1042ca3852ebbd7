import type { Kysely } from 'kysely'
import { createQueryBuilder } from './query-builder.ts'
import type { SchemaWriter } from './schema-access.ts'
import type { SqlWriter } from './sql-store.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { sqliteFault } from './sqlite-faults.ts'
import type { Statement } from './statement.ts'
import { bindPositional } from './values.ts'

/**
 * One transaction as its work sees it. It ends with the work: whoever keeps it meets a closed door, and a statement
 * that failed ends it too, so that both engines behave alike (PostgreSQL refuses everything after a failure).
 */
export class SqliteUnit<Schema> implements SqlWriter<Schema>, SchemaWriter {
  readonly dialect = 'sqlite'
  readonly #connection: SqliteConnection
  readonly #signal: AbortSignal | undefined
  #ended: { readonly reason: unknown } | undefined
  #query: Kysely<Schema> | undefined
  #callbacks: (() => void)[] | undefined

  constructor(connection: SqliteConnection, signal: AbortSignal | undefined) {
    this.#connection = connection
    this.#signal = signal
  }

  get query(): Kysely<Schema> {
    this.#query ??= createQueryBuilder<Schema>('sqlite', async (text, parameters) => {
      this.#enter()
      const values = bindPositional(parameters)
      try {
        return this.#connection.query(text, values)
      } catch (error) {
        throw this.#fail(error)
      }
    })
    return this.#query
  }

  /** The failure of a statement, even if the work caught it. */
  get failure(): { readonly reason: unknown } | undefined {
    return this.#ended
  }

  get callbacks(): readonly (() => void)[] | undefined {
    return this.#callbacks
  }

  async get<Params, Row>(statement: Statement<Params, Row>, params: Params): Promise<Row | undefined> {
    this.#enter()
    try {
      return this.#connection.get(statement as Statement<never, unknown>, params) as Row | undefined
    } catch (error) {
      throw this.#fail(error)
    }
  }

  async all<Params, Row>(statement: Statement<Params, Row>, params: Params): Promise<readonly Row[]> {
    this.#enter()
    try {
      return this.#connection.all(statement as Statement<never, unknown>, params) as Row[]
    } catch (error) {
      throw this.#fail(error)
    }
  }

  async run<Params>(statement: Statement<Params, unknown>, params: Params): Promise<{ readonly changes: number }> {
    this.#enter()
    try {
      return this.#connection.run(statement as Statement<never, unknown>, params)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  afterCommit(callback: () => void): void {
    this.#enter()
    this.#callbacks ??= []
    this.#callbacks.push(callback)
  }

  async script(text: string): Promise<void> {
    this.#enter()
    try {
      this.#connection.script(text)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /** Closes the door: from here on every use throws `reason`. The first reason stays. */
  end(reason: unknown): void {
    this.#ended ??= { reason }
  }

  #enter(): void {
    if (this.#ended) throw this.#ended.reason
    if (this.#signal?.aborted) throw this.#fail(this.#signal.reason)
  }

  #fail(error: unknown): unknown {
    const reason = sqliteFault(error)
    this.end(reason)
    return reason
  }
}

/** What a transaction says to those who use it after its end. */
export function endedError(): TypeError {
  return new TypeError('Cannot use tx: its transaction has ended')
}
