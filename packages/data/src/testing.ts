/**
 * The contract of the SQL store port, run by every engine, and databases for the tests of others.
 * @module
 */
import { describe } from 'node:test'
import type { SqlStoreCapabilities, TestDatabase } from './testing/harness.ts'
import { idempotencyContract, migrationsContract } from './testing/migrations-contract.ts'
import { programsContract } from './testing/programs-contract.ts'
import { unitsContract } from './testing/units-contract.ts'
import { valuesContract } from './testing/values-contract.ts'

export type { ContractSchema, OpenOptions, SqlStoreCapabilities, TestDatabase } from './testing/harness.ts'
export { createSqliteFolder, type SqliteFolder } from './testing/sqlite-folder.ts'

/**
 * Runs the contract of the SQL store. `openDatabase` gives a new, empty database each time; each test closes its own.
 */
export function describeSqlStore(
  name: string,
  openDatabase: () => Promise<TestDatabase>,
  can: SqlStoreCapabilities,
): void {
  describe(`SqlStore: ${name}`, () => {
    unitsContract(openDatabase, can)
    valuesContract(openDatabase)
    migrationsContract(openDatabase, can)
    idempotencyContract(openDatabase)
    programsContract(openDatabase, can)
  })
}
