/**
 * One fsync for each unit of work against group commit, on the SQLite store: how many durable units a second, how
 * long a writer waits, and how long a reader waits meanwhile. Every writer asks for its next unit when the last one
 * is durable; readers ask at a fixed rate and their time counts from the moment they meant to start.
 *
 * Run: `node bench/group-commit.compare.ts [seconds for each measurement]`
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, openSqliteStore, type SqlStore, sql } from '@plinth/data'

interface Figures {
  readonly unitsPerSecond: number
  readonly writeP99Ms: number
  readonly readP99Ms: number
}

const measureMs = 1000 * Number(process.argv[2] ?? 1)
const rounds = 3
const readEveryMs = 2

const migrations = [
  {
    id: '0001_entry',
    up: `create table entry (id integer primary key, account text not null, amount integer not null, body text not null);
      create table account (id text primary key, balance integer not null)`,
  },
]
const find = sql<{ id: string }, { balance: number }>`select balance from account where id = ${'id'}`
const enter = sql<{ account: string; amount: number; body: string }>`
  insert into entry (account, amount, body) values (${'account'}, ${'amount'}, ${'body'})`
const credit = sql<{ id: string; amount: number }>`
  insert into account (id, balance) values (${'id'}, ${'amount'})
  on conflict (id) do update set balance = account.balance + excluded.balance`

console.log(`| writers | fsync each: units/s | p99 ms | group: units/s | p99 ms | ratio | read p99 ms: each | group |`)
console.log('|--:|--:|--:|--:|--:|--:|--:|--:|')
for (const writers of [1, 16, 64, 256]) {
  const each: Figures[] = []
  const group: Figures[] = []
  // In turn, so that a machine that grows slower meanwhile wrongs neither.
  for (let round = 0; round < rounds; round++) {
    each.push(await measure(writers, 1))
    group.push(await measure(writers, 256))
  }
  const [one, many] = [median(each), median(group)]
  const cells = [
    writers,
    Math.round(one.unitsPerSecond),
    one.writeP99Ms.toFixed(1),
    Math.round(many.unitsPerSecond),
    many.writeP99Ms.toFixed(1),
    `${(many.unitsPerSecond / one.unitsPerSecond).toFixed(1)}x`,
    one.readP99Ms.toFixed(2),
    many.readP99Ms.toFixed(2),
  ]
  console.log(`| ${cells.join(' | ')} |`)
}

async function measure(writers: number, batchUnitsMax: number): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-bench-'))
  try {
    await using store = await openSqliteStore({ path: join(folder, 'bench.db'), batchUnitsMax })
    await migrate(store, migrations)
    await load(store, writers, 200)
    return await load(store, writers, measureMs)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function load(store: SqlStore<unknown>, writers: number, forMs: number): Promise<Figures> {
  const startMs = performance.now()
  const endMs = startMs + forMs
  const writes: number[] = []
  const reads: number[] = []
  const write = async (writer: number) => {
    const account = `account-${writer}`
    while (performance.now() < endMs) {
      const askedMs = performance.now()
      await store.write(async (tx) => {
        await tx.get(find, { id: account })
        await tx.run(enter, { account, amount: 5, body: 'a line of some length, as an order might hold it' })
        await tx.run(credit, { id: account, amount: 5 })
      })
      writes.push(performance.now() - askedMs)
    }
  }
  const read = async () => {
    for (let meantMs = startMs; meantMs < endMs; meantMs += readEveryMs) {
      while (performance.now() < meantMs) await new Promise((resolve) => setTimeout(resolve, 1))
      await store.read((tx) => tx.get(find, { id: 'account-0' }))
      reads.push(performance.now() - meantMs)
    }
  }
  await Promise.all([read(), ...Array.from({ length: writers }, (_, writer) => write(writer))])
  const tookMs = performance.now() - startMs
  return { unitsPerSecond: (writes.length / tookMs) * 1000, writeP99Ms: p99(writes), readP99Ms: p99(reads) }
}

function p99(times: number[]): number {
  times.sort((a, b) => a - b)
  return times[Math.floor(times.length * 0.99)] ?? 0
}

function median(figures: Figures[]): Figures {
  figures.sort((a, b) => a.unitsPerSecond - b.unitsPerSecond)
  return figures[Math.floor(figures.length / 2)] as Figures
}
