import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { SqlDialectName } from './dialect.ts'

/** Executes a compiled query inside one transaction. */
export type ExecuteCompiled = (
  text: string,
  parameters: readonly unknown[],
) => Promise<{ readonly rows: readonly unknown[]; readonly changes: number }>

/**
 * Makes the query builder of one transaction. It compiles and hands over; connections and transactions stay with
 * the store, so a builder kept beyond its transaction meets a closed door.
 */
export function createQueryBuilder<Schema>(dialect: SqlDialectName, execute: ExecuteCompiled): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: dialectOf(dialect, createDriver(execute)) })
}

function dialectOf(name: SqlDialectName, driver: Driver): Dialect {
  return name === 'sqlite'
    ? {
        createDriver: () => driver,
        createAdapter: () => new SqliteAdapter(),
        createQueryCompiler: () => new SqliteQueryCompiler(),
        createIntrospector: (database) => new SqliteIntrospector(database),
      }
    : {
        createDriver: () => driver,
        createAdapter: () => new PostgresAdapter(),
        createQueryCompiler: () => new PostgresQueryCompiler(),
        createIntrospector: (database) => new PostgresIntrospector(database),
      }
}

function createDriver(execute: ExecuteCompiled): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const { rows, changes } = await execute(query.sql, query.parameters)
      return { rows: rows as Row[], numAffectedRows: BigInt(changes) }
    },
    streamQuery() {
      throw new TypeError('Cannot stream inside a unit of work: read pages of at most 10,000 rows')
    },
  }
  const refuse = async () => {
    throw new TypeError('Cannot begin a transaction inside a unit of work: the unit is the transaction')
  }
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
    destroy: async () => {},
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
  }
}
