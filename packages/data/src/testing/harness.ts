import type { Clock } from '@plinth/base'
import { migrate } from '../migrations.ts'
import type { MigratableStore } from '../schema-access.ts'
import { perDialect, sql } from '../statement.ts'

/** The tables of the contract suite, as Kysely sees them. */
export interface ContractSchema {
  item: { id: string; n: number; body: string | null }
}

/** What a test may set on the store it opens; both engines take these. */
export interface OpenOptions {
  readonly unitTimeoutMs?: number
  readonly queueMax?: number
  readonly clock?: Clock
}

/** One database of its own, with as many stores on it as a test opens. */
export interface TestDatabase extends AsyncDisposable {
  open(options?: OpenOptions): Promise<MigratableStore<ContractSchema>>
}

/** What an engine cannot do, with the reason that is printed; `true` where it can. */
export interface SqlStoreCapabilities {
  /** Units of work are serialisable, write skew included. */
  readonly serialisable: true | { readonly because: string }
  /** Two stores, as two processes would, work on one database. */
  readonly shared: true | { readonly because: string }
}

/** For the `skip` option of a test. */
export function unless(capability: true | { readonly because: string }): false | string {
  return capability === true ? false : capability.because
}

/** A migrated store with its database; both end with the test. */
export async function openContractStore(
  database: TestDatabase,
  options?: OpenOptions,
): Promise<MigratableStore<ContractSchema>> {
  const store = await database.open(options)
  await migrate(store, contractMigrations)
  return store
}

export const contractMigrations = [
  {
    id: '0001_item',
    up: {
      sqlite: `create table item (id text primary key, n integer not null check (n <> -13), body text) strict;
        create table part (id text primary key, item_id text not null references item (id)) strict;
        create table cell (id text primary key, whole integer, real real, bytes blob, body text) strict;`,
      postgres: `create table item (id text primary key, n bigint not null check (n <> -13), body text);
        create table part (id text primary key, item_id text not null references item (id));
        create table cell (id text primary key, whole bigint, real double precision, bytes bytea, body text);`,
    },
  },
]

export interface Item {
  readonly id: string
  readonly n: number
  readonly body: string | null
}

export interface Cell {
  readonly id: string
  readonly whole: number | bigint | boolean | null
  readonly real: number | null
  readonly bytes: Uint8Array | null
  readonly body: string | null
}

export const add = sql<Item>`insert into item (id, n, body) values (${'id'}, ${'n'}, ${'body'})`
export const put = sql<{ id: string; n: number }>`
  insert into item (id, n) values (${'id'}, ${'n'}) on conflict (id) do update set n = excluded.n`
export const find = sql<{ id: string }, Item>`select id, n, body from item where id = ${'id'}`
export const list = sql<Record<never, never>, Item>`select id, n, body from item order by id`
export const total = sql<Record<never, never>, { total: number }>`select coalesce(sum(n), 0) as total from item`
export const remove = sql<{ id: string }>`delete from item where id = ${'id'}`
export const bump = sql<{ id: string }, { n: number }>`update item set n = n + 1 where id = ${'id'} returning n`
export const addTwo = sql`insert into item (id, n) values ('two', 2), ('three', 3)`
export const withList = sql`with found as (select id from item) select id from found`
export const withBump = sql`with found as (select id from item) update item set n = n + 1 where id in (select id from found)`
export const addPart = sql<{ id: string; itemId: string }>`
  insert into part (id, item_id) values (${'id'}, ${'itemId'})`
export const addCell = sql<Cell>`
  insert into cell (id, whole, real, bytes, body) values (${'id'}, ${'whole'}, ${'real'}, ${'bytes'}, ${'body'})`
export const findCell = sql<{ id: string }, Cell>`select id, whole, real, bytes, body from cell where id = ${'id'}`
/** As many rows as are asked for, without a table. */
export const numbers = perDialect({
  sqlite: sql<{ count: number }, { n: number }>`
    with recursive number (n) as (select 1 union all select n + 1 from number where n < ${'count'})
    select n from number`,
  postgres: sql<{ count: number }, { n: number }>`select n from generate_series(1, ${'count'}::int) as number (n)`,
})
