import { createHash } from 'node:crypto'
import { type Clock, PlatformError, systemClock } from '@plinth/base'
import { currentScope } from '@plinth/concurrency'
import type { SqlDialectName } from './dialect.ts'
import { type Migratable, type SchemaWriter, schemaAccess } from './schema-access.ts'
import { sql } from './statement.ts'

/** One step of a schema. Once released it never changes: a correction is a further step. */
export interface Migration {
  /** Four digits and a name, `0001_orders`; steps run in the order of their ids. */
  readonly id: string
  /** Statements separated by semicolons, one text for both engines or one for each. */
  readonly up: string | Readonly<Record<SqlDialectName, string>>
}

/** How {@link migrate} goes about it, and for how long. */
export interface MigrateOptions {
  /** Only says what would run. @default false */
  readonly dryRun?: boolean
  /** The longest wait for another process that migrates, in milliseconds; 0 to 3,600,000. @default 60000 */
  readonly lockWaitMs?: number
  /** The longest one step may take, in milliseconds (PostgreSQL only); 1 to 86,400,000. @default 600000 */
  readonly stepTimeoutMs?: number
  /** Dates the record of a step. @default systemClock */
  readonly clock?: Clock
  /** Ends the work between two steps. @default the surrounding scope's */
  readonly signal?: AbortSignal
}

/** What {@link migrate} did, or would do. */
export interface MigrationPlan {
  readonly applied: readonly string[]
  readonly pending: readonly { readonly id: string; readonly text: string }[]
}

const idPattern = /^\d{4}_[a-z0-9_]{1,80}$/

const createTable = `
  create table if not exists plinth_migration (
    id text primary key,
    checksum text not null,
    applied_ms bigint not null
  )`
const listApplied = sql<Record<never, never>, { id: string; checksum: string }>`
  select id, checksum from plinth_migration order by id`
const record = sql<{ id: string; checksum: string; nowMs: number }>`
  insert into plinth_migration (id, checksum, applied_ms) values (${'id'}, ${'checksum'}, ${'nowMs'})`

/**
 * Brings the schema of a store up to date: runs the steps that are missing, each in a transaction of its own that
 * also records it, so a crash leaves a step done or not begun. Processes that start at once do the work once.
 *
 * @returns what ran (`applied`), or with `dryRun` what would run (`pending`, with texts).
 * @throws PlatformError `data.migration_changed` when a recorded step has another text now,
 * `data.migration_unknown` when the database holds steps this program does not know (it is newer),
 * `data.migration_order` when a missing step is older than a recorded one, `data.busy` after `lockWaitMs`, or the
 * fault of the step that failed.
 * @throws TypeError for a list that is not in order, has a malformed id, or defers a constraint to the commit.
 */
export async function migrate(
  store: Migratable,
  migrations: readonly Migration[],
  options: MigrateOptions = {},
): Promise<MigrationPlan> {
  checkList(migrations)
  const steps = migrations.map(({ id, up }) => {
    const text = typeof up === 'string' ? up : up[store.dialect]
    return { id, text, checksum: createHash('sha256').update(text.trim()).digest('hex') }
  })
  const clock = options.clock ?? systemClock
  const access = { lockWaitMs: 60_000, stepTimeoutMs: 600_000, signal: currentScope().signal, ...options }
  return await store[schemaAccess].exclusively(async (step) => {
    const pending = await step(async (tx) => missingSteps(steps, await recorded(tx, options.dryRun ?? false)))
    if (options.dryRun) return { applied: [], pending: pending.map(({ id, text }) => ({ id, text })) }
    const applied: string[] = []
    for (const { id } of pending) {
      const isMine = await step(async (tx) => {
        // Read again: on SQLite another process may have run this step between two of ours.
        const [next] = missingSteps(steps, await recorded(tx, false)).filter((missing) => missing.id === id)
        if (!next) return false
        await tx.script(next.text)
        await tx.run(record, { id, checksum: next.checksum, nowMs: clock.nowMs() })
        return true
      })
      if (isMine) applied.push(id)
    }
    return { applied, pending: [] }
  }, access)
}

interface Step {
  readonly id: string
  readonly text: string
  readonly checksum: string
}

const findTable = {
  sqlite: sql<Record<never, never>, { found: number }>`
    select count(*) as found from sqlite_master where type = 'table' and name = 'plinth_migration'`,
  postgres: sql<Record<never, never>, { found: number }>`
    select count(*) as found from information_schema.tables
    where table_schema = current_schema() and table_name = 'plinth_migration'`,
}

async function recorded(tx: SchemaWriter, dryRun: boolean): Promise<ReadonlyMap<string, string>> {
  const found = await tx.get(findTable[tx.dialect], {})
  if (!found?.found) {
    if (dryRun) return new Map()
    await tx.script(createTable)
  }
  const rows = await tx.all(listApplied, {})
  return new Map(rows.map((row) => [row.id, row.checksum]))
}

function missingSteps(steps: readonly Step[], done: ReadonlyMap<string, string>): readonly Step[] {
  const known = new Map(steps.map((step) => [step.id, step]))
  let lastDone = ''
  for (const [id, checksum] of done) {
    const step = known.get(id)
    if (!step)
      throw migrationFault('data.migration_unknown', id, 'the database holds a step this program does not know')
    if (step.checksum !== checksum) {
      throw migrationFault('data.migration_changed', id, 'its text is not the one that was applied')
    }
    if (id > lastDone) lastDone = id
  }
  const missing = steps.filter((step) => !done.has(step.id))
  const late = missing.find((step) => step.id < lastDone)
  if (late) throw migrationFault('data.migration_order', late.id, `it comes before ${lastDone}, which has been applied`)
  return missing
}

function migrationFault(code: string, id: string, why: string): PlatformError {
  return new PlatformError(`Cannot migrate: step ${id}: ${why}`, { kind: 'precondition', code, details: { id } })
}

function checkList(migrations: readonly Migration[]): void {
  let last = ''
  for (const { id, up } of migrations) {
    const texts = typeof up === 'string' ? [up] : Object.values(up)
    // SQLite checks a deferred constraint when a batch commits: one unit would fail all that share the commit.
    if (texts.some((text) => /\binitially\s+deferred\b/i.test(text))) {
      throw new TypeError(`Cannot migrate: step ${id} defers a constraint, which would fail units beside its own`)
    }
    if (!idPattern.test(id)) throw new TypeError(`Cannot migrate: "${id}" is not four digits and a name (0001_orders)`)
    if (id <= last) throw new TypeError(`Cannot migrate: step ${id} does not come after ${last}`)
    last = id
  }
}
