/**
 * SQL stores behind one port: SQLite with group commit, PostgreSQL with a bounded pool, migrations, units of work.
 * @module
 */
export type { CommitAnnouncement, PoolAnnouncement } from './announcements.ts'
export type { SqlDialectName } from './dialect.ts'
export {
  findAnswer,
  type IdempotentAnswer,
  type IdempotentCommand,
  idempotencyMigration,
  idempotent,
  sweepIdempotency,
} from './idempotency.ts'
export { type MigrateOptions, type Migration, type MigrationPlan, migrate } from './migrations.ts'
export { openPostgresStore, type PostgresStoreOptions } from './postgres-store.ts'
export type { Migratable, MigratableStore } from './schema-access.ts'
export type {
  SqlReader,
  SqlStore,
  SqlWriter,
  StatementReader,
  StatementWriter,
  WriteOptions,
} from './sql-store.ts'
export { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'
export { perDialect, type SqlValue, type Statement, sql } from './statement.ts'
export { type SweepOptions, sweepInBatches } from './sweep.ts'
