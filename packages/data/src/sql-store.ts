import type { Kysely } from 'kysely'
import type { SqlDialectName } from './dialect.ts'
import type { Statement } from './statement.ts'

/** What can be read inside a transaction. */
export interface SqlReader<Schema> {
  readonly dialect: SqlDialectName
  /** For queries whose shape depends on the request (filters, sorting). It compiles the query on every call. */
  readonly query: Kysely<Schema>
  /** The first row of a prepared statement, or undefined. */
  get<Params, Row>(statement: Statement<Params, Row>, params: Params): Promise<Row | undefined>
  /** All rows, at most 10,000: past that a `data.too_many_rows` fault, because an unbounded read is a bug. */
  all<Params, Row>(statement: Statement<Params, Row>, params: Params): Promise<readonly Row[]>
}

/** What can be done inside a unit of work. */
export interface SqlWriter<Schema> extends SqlReader<Schema> {
  /** Executes and tells how many rows changed. */
  run<Params>(statement: Statement<Params, unknown>, params: Params): Promise<{ readonly changes: number }>
  /** Runs after the commit is durable, never after a rollback. For wake-ups; it must not throw. */
  afterCommit(callback: () => void): void
}

/** Any store's reader, whatever its schema: for libraries that bring statements and tables of their own. */
export type StatementReader = Omit<SqlReader<unknown>, 'query'>
/** Any store's writer, whatever its schema. */
export type StatementWriter = Omit<SqlWriter<unknown>, 'query'>

/** How a transaction is bounded, beside the limits of its store. */
export interface WriteOptions {
  /** Ends the wait for a turn or a connection, and the work between statements. @default the surrounding scope's */
  readonly signal?: AbortSignal
}

/**
 * One SQL database behind one port.
 *
 * - `write` runs a unit of work: everything in it is committed or nothing is, and when it resolves the commit is on
 *   disk. Units of work are serialisable. On SQLite, units that wait at the same time share one commit, each in its
 *   own savepoint: one that throws takes back only its own changes. On PostgreSQL a unit that loses a serialisation
 *   race is run again, so it must have no effect but through `tx`.
 * - `read` sees one consistent snapshot and neither waits for writers nor holds them up.
 * - Never wait for anything but `tx` inside: a remote call in a transaction is a bug (`data.unit_too_long` after
 *   `unitTimeoutMs`).
 */
export interface SqlStore<Schema> extends AsyncDisposable {
  readonly dialect: SqlDialectName
  read<T>(work: (tx: SqlReader<Schema>) => Promise<T>, options?: WriteOptions): Promise<T>
  write<T>(work: (tx: SqlWriter<Schema>) => Promise<T>, options?: WriteOptions): Promise<T>
}
