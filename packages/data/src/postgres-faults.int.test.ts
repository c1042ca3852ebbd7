import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { createSeededRandom, PlatformError, Secret } from '@plinth/base'
import pg from 'pg'
import { type PoolAnnouncement, poolChannel } from './announcements.ts'
import { migrate } from './migrations.ts'
import { openPostgresStore, type PostgresStoreOptions } from './postgres-store.ts'
import { sql } from './statement.ts'
import { startTcpRelay } from './testing/tcp-relay.ts'

const url = process.env.PLINTH_TEST_POSTGRES_URL
const skip = url === undefined ? 'PLINTH_TEST_POSTGRES_URL is not set' : false
const steps = [{ id: '0001_note', up: 'create table note (id text primary key, body text)' }]
const add = sql<{ id: string }>`insert into note (id, body) values (${'id'}, '')`
const all = sql`select * from note order by id`
const sleepFor = sql<{ seconds: number }>`select pg_sleep(${'seconds'}::float8)`
const backend = sql<Record<never, never>, { pid: number }>`select pg_backend_pid() as pid`
const total = sql<Record<never, never>, { count: number }>`select count(*) as count from note`
let schemas = 0

async function openStore(t: TestContext, options: Partial<PostgresStoreOptions> = {}) {
  const schema = `plinth_faults_${process.pid}_${schemas++}`
  // A client beside the store, as an operator would have one.
  const operator = new pg.Client(url)
  await operator.connect()
  const store = await openPostgresStore({
    url: new Secret(url ?? ''),
    schema,
    random: createSeededRandom(1),
    ...options,
  })
  t.after(async () => {
    await store[Symbol.asyncDispose]()
    await operator.query(`drop schema ${schema} cascade`)
    await operator.end()
  })
  await migrate(store, steps)
  return { store, operator, schema, rows: async () => (await operator.query(`select id from ${schema}.note`)).rows }
}

describe('openPostgresStore()', { skip }, () => {
  it('ends the wait for a connection, the queue included, and bounds the queue', async (t) => {
    const { store } = await openStore(t, { poolMax: 1, queueMax: 1, acquireTimeoutMs: 300 })
    const goOn = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const held = store.read(async () => {
      begun.resolve()
      await goOn.promise
    })
    await begun.promise
    const waiting = store.read(async () => {})
    await assert.rejects(
      store.read(async () => {}),
      { code: 'data.queue_full', kind: 'exhausted' },
    )
    await assert.rejects(waiting, { code: 'data.pool_exhausted', kind: 'exhausted', retryAfterMs: 250 })
    goOn.resolve()
    await held
    assert.equal(await store.read(async () => 'next'), 'next')
  })

  it('tells a connection lost inside a unit, stores nothing of it and goes on', async (t) => {
    const { store, operator, rows } = await openStore(t)
    const attempt = store.write(async (tx) => {
      await tx.run(add, { id: 'a' })
      const row = await tx.get(backend, {})
      await operator.query('select pg_terminate_backend($1)', [row?.pid])
      await tx.run(add, { id: 'b' })
    })
    await assert.rejects(attempt, { code: 'data.connection_lost', kind: 'unavailable', retryable: true })
    await store.write((tx) => tx.run(add, { id: 'c' }))
    assert.deepEqual(await rows(), [{ id: 'c' }])
  })

  it('survives a restart of the server between units without a failure', async (t) => {
    const { store, operator, schema } = await openStore(t, { poolMax: 4 })
    await Promise.all([1, 2, 3, 4].map(() => store.read((tx) => tx.get(sleepFor, { seconds: 0.02 }))))
    await operator.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
      `plinth ${schema}`,
    ])
    await Promise.all([1, 2, 3, 4].map((at) => store.write((tx) => tx.run(add, { id: `${at}` }))))
    assert.equal((await store.read((tx) => tx.all(all, {}))).length, 4)
  })

  it('never calls a commit done or undone when its answer is lost', async (t) => {
    const address = new URL(url ?? '')
    await using relay = await startTcpRelay({ host: address.hostname, port: Number(address.port || 5432) })
    const { rows, schema } = await openStore(t)
    const through = new URL(address)
    through.host = `127.0.0.1:${relay.port}`
    await using store = await openPostgresStore({ url: new Secret(through.href), schema })
    for (const cut of ['before', 'after'] as const) {
      relay.decide((piece) => (piece.includes('commit') ? cut : 'pass'))
      await assert.rejects(
        store.write((tx) => tx.run(add, { id: cut })),
        { code: 'data.commit_unknown', kind: 'unavailable', retryable: false },
      )
    }
    relay.decide(() => 'pass')
    await store.write((tx) => tx.run(add, { id: 'whole' }))
    const ids = (await rows()).map((row) => row.id)
    assert.deepEqual(ids.toSorted(), ['after', 'whole'])
  })

  it('ends a statement on the server when its signal aborts', async (t) => {
    const { store, operator, schema } = await openStore(t)
    const controller = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 50)
    await assert.rejects(
      store.read((tx) => tx.get(sleepFor, { seconds: 4 }), { signal: controller.signal }),
      reason,
    )
    await store[Symbol.asyncDispose]()
    const { rows } = await operator.query('select query from pg_stat_activity where application_name = $1', [
      `plinth ${schema}`,
    ])
    assert.deepEqual(rows, [])
  })

  it('ends a statement that the server works on for too long', async (t) => {
    const { store } = await openStore(t, { statementTimeoutMs: 200 })
    await assert.rejects(
      store.read((tx) => tx.get(sleepFor, { seconds: 3 })),
      { code: 'data.statement_timeout', kind: 'timeout' },
    )
  })

  it('gives up a unit that keeps losing its race', async (t) => {
    const { store } = await openStore(t, { attemptsMax: 1 })
    const both = Promise.withResolvers<void>()
    let reading = 0
    const race = (id: string) =>
      store.write(async (tx) => {
        await tx.get(total, {})
        if (++reading === 2) both.resolve()
        await both.promise
        await tx.run(add, { id })
      })
    const outcomes = await Promise.allSettled([race('a'), race('b')])
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.equal(failed.length, 1)
    assert.deepEqual([failed[0]?.reason.code, failed[0]?.reason.kind], ['data.serialization_failed', 'conflict'])
  })

  it('lets two hundred units at one row pass, one after another if need be', async (t) => {
    const { store } = await openStore(t)
    await Promise.all(
      Array.from({ length: 200 }, (_, at) =>
        store.write(async (tx) => {
          const before = (await tx.get(total, {}))?.count ?? 0
          if (before < 50) await tx.run(add, { id: `${at}` })
        }),
      ),
    )
    assert.equal((await store.read((tx) => tx.get(total, {})))?.count, 50)
  })

  it('reads on through statements prepared before a migration', async (t) => {
    const { store } = await openStore(t, { poolMax: 3 })
    await Promise.all([1, 2, 3].map(() => store.write((tx) => tx.all(all, {}))))
    await migrate(store, [...steps, { id: '0002_more', up: 'alter table note add column more text' }])
    await store.write((tx) => tx.run(add, { id: 'a' }))
    for (let at = 0; at < 5; at++) {
      assert.deepEqual(await store.write((tx) => tx.all(all, {})), [{ id: 'a', body: '', more: null }])
      assert.deepEqual(await store.read((tx) => tx.all(all, {})), [{ id: 'a', body: '', more: null }])
    }
  })

  it('announces what happens to its pool', async (t) => {
    const heard: PoolAnnouncement[] = []
    const onPool = (message: unknown) => heard.push(message as PoolAnnouncement)
    poolChannel.subscribe(onPool)
    t.after(() => poolChannel.unsubscribe(onPool))
    const { store, schema } = await openStore(t)
    heard.length = 0
    await store.read(async () => {})
    const [first] = heard
    assert.deepEqual([heard.length, first?.store, first?.event, first?.total], [1, schema, 'acquired', 1])
  })

  it('shows its password in no error', async (t) => {
    const { schema } = await openStore(t)
    const password = 'correct-horse-battery'
    const good = new URL(url ?? '')
    const urls = ['wrong scheme://', `http://plinth:${password}@127.0.0.1/x`, `postgres://plinth:${password}@[`]
    for (const change of [{ port: '1' }, { pathname: '/no_such_database' }, { username: 'nobody_at_all' }]) {
      const wrong: URL = Object.assign(new URL(good), { password, ...change })
      urls.push(wrong.href)
    }
    for (const wrong of urls) {
      const error = await openPostgresStore({ url: new Secret(wrong), schema, acquireTimeoutMs: 2000 }).then(
        () => assert.fail('it opened'),
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof TypeError || PlatformError.is(error))
      const shown = `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)}`
      assert.ok(!shown.includes(password), shown)
    }
  })

  it('names a server that is not there, and one that refuses', async () => {
    const good = new URL(url ?? '')
    const open = (change: Partial<URL>) =>
      openPostgresStore({ url: new Secret(Object.assign(new URL(good), change).href), acquireTimeoutMs: 2000 })
    await assert.rejects(open({ port: '1' }), { code: 'data.connection_lost', kind: 'unavailable' })
    await assert.rejects(open({ pathname: '/no_such_database' }), { code: 'data.cannot_open', retryable: false })
  })

  it('refuses a schema that is no identifier, and options out of bounds', async () => {
    const address = new Secret(url ?? '')
    for (const schema of ['', 'Up', 'a b', 'a;drop', '1a', 'x'.repeat(64)]) {
      await assert.rejects(openPostgresStore({ url: address, schema }), TypeError, schema)
    }
    await assert.rejects(openPostgresStore({ url: address, poolMax: 0, attemptsMax: 101 }), RangeError)
  })
})
