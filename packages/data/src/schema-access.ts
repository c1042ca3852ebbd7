import type { SqlDialectName } from './dialect.ts'
import type { SqlStore, StatementWriter } from './sql-store.ts'

/** A unit of work that may also run a script: only migrations get one. */
export interface SchemaWriter extends StatementWriter {
  /** Runs several statements without parameters. */
  script(text: string): Promise<void>
}

/** The door through which {@link migrate} reaches a store; no part of the port. */
export const schemaAccess: unique symbol = Symbol('plinth.data.schemaAccess')

export interface SchemaOptions {
  /** The longest wait for another process that migrates, in milliseconds. */
  readonly lockWaitMs: number
  /** The longest one step may take, in milliseconds. */
  readonly stepTimeoutMs: number
  readonly signal: AbortSignal
}

export interface SchemaAccess {
  /**
   * Runs `work` while no other process migrates this store. `step` runs one transaction of its own, and so does each
   * further call.
   */
  exclusively<T>(
    work: (step: <R>(run: (tx: SchemaWriter) => Promise<R>) => Promise<R>) => Promise<T>,
    options: SchemaOptions,
  ): Promise<T>
}

/** What {@link migrate} works on. */
export interface Migratable {
  readonly dialect: SqlDialectName
  readonly [schemaAccess]: SchemaAccess
}

/** The stores of this package. */
export interface MigratableStore<Schema> extends SqlStore<Schema>, Migratable {
  readonly dialect: SqlDialectName
}
