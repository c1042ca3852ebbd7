import { createHash } from 'node:crypto'
import pg from 'pg'
import { postgresFault } from './postgres-faults.ts'
import type { Statement } from './statement.ts'
import type { UnitSession } from './unit-of-work.ts'
import { type BoundValue, bindNamed, numberOutOfRange, rowsMax, tooManyRows } from './values.ts'

type Row = Record<string, BoundValue>

interface Answer {
  readonly rows: Row[]
  readonly changes: number
  readonly command: string
}

const names = new WeakMap<Statement<never, unknown>, string>()
const changing = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

/** One PostgreSQL connection, as a transaction uses it. */
export class PostgresSession implements UnitSession {
  readonly dialect = 'postgres'
  readonly #client: pg.ClientBase

  constructor(client: pg.ClientBase) {
    this.#client = client
  }

  async get(statement: Statement<never, unknown>, params: unknown): Promise<Row | undefined> {
    return (await this.#prepared(statement, params)).rows[0]
  }

  async all(statement: Statement<never, unknown>, params: unknown): Promise<readonly Row[]> {
    return (await this.#prepared(statement, params)).rows
  }

  async run(statement: Statement<never, unknown>, params: unknown): Promise<{ readonly changes: number }> {
    const { changes } = await this.#prepared(statement, params)
    return { changes }
  }

  query(text: string, values: BoundValue[]): Promise<Answer> {
    return this.#submit({ text, values })
  }

  /** Runs transaction control, or a script of migrations; returns the tag of the command. */
  async script(text: string): Promise<string> {
    return (await this.#submit({ text })).command
  }

  fault(reason: unknown): unknown {
    return postgresFault(reason)
  }

  async #prepared(statement: Statement<never, unknown>, params: unknown): Promise<Answer> {
    const { text, names } = statement.text('postgres')
    return await this.#submit({ name: preparedName(statement, text), text, values: bindNamed(names, params) })
  }

  #submit(config: pg.QueryConfig): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const rows: Row[] = []
      // Rows come one by one, so that the cap holds before memory is full and not after.
      const query = new pg.Query<Row>(config)
      query.on('row', (row) => {
        if (rows.length < rowsMax) rows.push(row)
        else reject(tooManyRows())
      })
      query.on('error', reject)
      query.on('end', (result) => {
        // A script has a result for each of its statements.
        const last = (Array.isArray(result) ? result.at(-1) : result) as pg.QueryResult | undefined
        const command = last?.command ?? ''
        resolve({ rows, command, changes: changing.has(command) ? (last?.rowCount ?? 0) : 0 })
      })
      this.#client.query(query)
    })
  }
}

/** The server keeps prepared statements by name; equal texts share one. */
function preparedName(statement: Statement<never, unknown>, text: string): string {
  let name = names.get(statement)
  if (name === undefined) {
    name = `p${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
    names.set(statement, name)
  }
  return name
}

const oids = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, float4: 700, float8: 701, numeric: 1700 }

const parsers = new Map<number, (text: string) => BoundValue>([
  [oids.bool, (text) => (text === 't' ? 1 : 0)],
  [oids.bytea, toBytes],
  [oids.int2, Number],
  [oids.int4, Number],
  [oids.int8, toSafeNumber],
  [oids.float4, Number],
  [oids.float8, Number],
  // Sums of int8 are numeric here and integers on SQLite.
  [oids.numeric, (text) => (/^-?\d+$/.test(text) ? toSafeNumber(text) : Number(text))],
])
const asText = (text: string): string => text

/** Values as SQLite gives them: numbers, bytes and text; every other type as its text. */
export const postgresTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) => parsers.get(oid) ?? asText) as pg.CustomTypesConfig['getTypeParser'],
}

function toSafeNumber(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw numberOutOfRange('Cannot return the row: an integer is beyond 2^53', 'internal')
}

/** The hex form `\x…`, which every server since 9.0 sends. */
function toBytes(text: string): Uint8Array {
  return Uint8Array.fromHex(text.slice(2))
}
