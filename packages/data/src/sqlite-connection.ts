import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { sqliteFault } from './sqlite-faults.ts'
import type { Statement } from './statement.ts'
import type { UnitSession } from './unit-of-work.ts'
import { type BoundValue, bindNamed, rowsMax, tooManyRows } from './values.ts'

export type SqliteRow = Record<string, BoundValue>

/** How one connection of a store is set up. */
export interface SqliteConnectionOptions {
  readonly readOnly: boolean
  /** Page cache, in KiB. */
  readonly cacheKib: number
  /** Pages the file may grow to; 0 leaves it to the disk. */
  readonly pagesMax: number
}

interface Prepared {
  readonly statement: StatementSync
  readonly names: readonly string[]
  columns: readonly string[]
  /** Whether the engine's count of changed rows belongs to this statement. */
  readonly changes: boolean
}

// Statements live at module level and are few; the cap holds against one that is made anew on every call.
const statementsMax = 500
const textsMax = 100

/** One node:sqlite connection with its prepared statements. Everything on it is synchronous. */
export class SqliteConnection implements UnitSession {
  readonly dialect = 'sqlite'
  readonly #database: DatabaseSync
  readonly #statements = new Map<Statement<never, unknown>, Prepared>()
  readonly #texts = new Map<string, Prepared>()
  readonly #control = new Map<string, StatementSync>()

  constructor(path: string, options: SqliteConnectionOptions) {
    this.#database = new DatabaseSync(path, {
      readOnly: options.readOnly,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
      // Short, for it blocks the event loop: a writer that must wait for another process does so in turns instead.
      timeout: 20,
    })
    try {
      if (!options.readOnly) {
        this.#database.exec('pragma journal_mode = wal')
        // FULL syncs the log on every commit: what is acknowledged survives a power cut, not only a crash.
        this.#database.exec('pragma synchronous = full')
        // The log is cut back after a burst instead of keeping the largest size it ever had.
        this.#database.exec('pragma journal_size_limit = 67108864')
        if (options.pagesMax > 0) this.#database.exec(`pragma max_page_count = ${Math.trunc(options.pagesMax)}`)
      }
      this.#database.exec(`pragma cache_size = -${Math.trunc(options.cacheKib)}`)
      // Sorts and temporary tables stay off the disk that commits need; reads are bounded to 10,000 rows anyway.
      this.#database.exec('pragma temp_store = memory')
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction
  }

  /** Runs transaction control: a few fixed texts, kept prepared. */
  control(text: 'begin' | 'begin immediate' | 'commit' | 'rollback' | `${string}savepoint unit`): void {
    let statement = this.#control.get(text)
    if (!statement) {
      statement = this.#database.prepare(text)
      this.#control.set(text, statement)
    }
    statement.run()
  }

  /** Runs a script of several statements without parameters: migrations only. */
  script(text: string): void {
    this.#database.exec(text)
  }

  get(statement: Statement<never, unknown>, params: unknown): SqliteRow | undefined {
    const prepared = this.#prepared(statement)
    const values = prepared.statement.get(...bindNamed(prepared.names, params)) as BoundValue[] | undefined
    return values && toRow(prepared, values)
  }

  all(statement: Statement<never, unknown>, params: unknown): SqliteRow[] {
    const prepared = this.#prepared(statement)
    return readRows(prepared, bindNamed(prepared.names, params))
  }

  run(statement: Statement<never, unknown>, params: unknown): { readonly changes: number } {
    const prepared = this.#prepared(statement)
    const { changes } = prepared.statement.run(...bindNamed(prepared.names, params))
    return { changes: prepared.changes ? Number(changes) : 0 }
  }

  /** Runs a query that was compiled for this call; `values` are bound, never text. */
  query(text: string, values: readonly BoundValue[]): { rows: SqliteRow[]; changes: number } {
    let prepared = this.#texts.get(text)
    if (prepared) this.#texts.delete(text)
    else prepared = this.#prepare(text, [])
    this.#texts.set(text, prepared)
    evict(this.#texts, textsMax)
    if (prepared.columns.length === 0) {
      const { changes } = prepared.statement.run(...values)
      return { rows: [], changes: prepared.changes ? Number(changes) : 0 }
    }
    const rows = readRows(prepared, values)
    return { rows, changes: prepared.changes ? rows.length : 0 }
  }

  fault(reason: unknown): unknown {
    return sqliteFault(reason)
  }

  close(): void {
    this.#statements.clear()
    this.#texts.clear()
    this.#control.clear()
    this.#database.close()
  }

  #prepared(statement: Statement<never, unknown>): Prepared {
    let prepared = this.#statements.get(statement)
    if (!prepared) {
      const { text, names } = statement.text('sqlite')
      prepared = this.#prepare(text, names)
      this.#statements.set(statement, prepared)
      evict(this.#statements, statementsMax)
    }
    return prepared
  }

  #prepare(text: string, names: readonly string[]): Prepared {
    const statement = this.#database.prepare(text)
    statement.setReturnArrays(true)
    const changes =
      /^\s*(?:insert|update|delete|replace|with\b.*\b(?:insert|replace)\s+into|with\b.*\b(?:update|delete))\b/is.test(
        text,
      )
    return { statement, names, columns: columnsOf(statement), changes }
  }
}

function readRows(prepared: Prepared, values: readonly BoundValue[]): SqliteRow[] {
  const rows: SqliteRow[] = []
  for (const row of prepared.statement.iterate(...values)) {
    // Leaving the loop resets the statement, so the cap also ends the engine's work.
    if (rows.length === rowsMax) throw tooManyRows()
    rows.push(toRow(prepared, row as unknown as BoundValue[]))
  }
  return rows
}

function toRow(prepared: Prepared, values: readonly BoundValue[]): SqliteRow {
  // A migration by another process can change what `select *` returns while the statement stays prepared.
  if (values.length !== prepared.columns.length) prepared.columns = columnsOf(prepared.statement)
  const { columns } = prepared
  const row: SqliteRow = {}
  for (let at = 0; at < columns.length; at++) row[columns[at] as string] = values[at] as BoundValue
  return row
}

function columnsOf(statement: StatementSync): readonly string[] {
  return statement.columns().map((column) => column.name)
}

function evict<Key, Value>(map: Map<Key, Value>, sizeMax: number): void {
  if (map.size <= sizeMax) return
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}
