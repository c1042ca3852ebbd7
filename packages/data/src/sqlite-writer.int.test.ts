import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@plinth/base'
import { type CommitAnnouncement, commitChannel } from './announcements.ts'
import { migrate } from './migrations.ts'
import { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'
import { sql } from './statement.ts'
import { createSqliteFolder } from './testing.ts'

const steps = [{ id: '0001_note', up: 'create table note (id text primary key, body text not null) strict' }]
const sqliteSteps = steps.map(({ id, up }) => ({ id, up: { sqlite: up, postgres: '' } }))
const add = sql<{ id: string; body: string }>`insert into note (id, body) values (${'id'}, ${'body'})`
const count = sql<Record<never, never>, { count: number }>`select count(*) as count from note`
const check = sql<Record<never, never>, { integrity_check: string }>`pragma integrity_check`

async function openStore(t: TestContext, options: Partial<SqliteStoreOptions> = {}) {
  const folder = await createSqliteFolder()
  const store = await openSqliteStore({ path: folder.file, ...options })
  t.after(async () => {
    await store[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  await migrate(store, sqliteSteps)
  return store
}

function listen(t: TestContext): CommitAnnouncement[] {
  const heard: CommitAnnouncement[] = []
  const onCommit = (message: unknown) => heard.push(message as CommitAnnouncement)
  commitChannel.subscribe(onCommit)
  t.after(() => commitChannel.unsubscribe(onCommit))
  return heard
}

describe('SqliteWriter', () => {
  it('write() lets units of one turn share one commit, those that are taken back included', async (t) => {
    const store = await openStore(t, { batchMs: 1000 })
    const heard = listen(t)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, at) => store.write((tx) => tx.run(add, { id: `${at % 20}`, body: '' }))),
    )
    assert.equal(outcomes.filter((outcome) => outcome.status === 'rejected').length, 10)
    assert.deepEqual(
      heard.map(({ units, queued, failed }) => ({ units, queued, failed })),
      [{ units: 30, queued: 0, failed: undefined }],
    )
    assert.equal((await store.read((tx) => tx.get(count, {})))?.count, 20)
  })

  it('write() bounds a commit by the number of units and by time', async (t) => {
    let nowMs = 0
    const clock = { ...systemClock, monotonicMs: () => nowMs++ }
    const few = await openStore(t, { batchUnitsMax: 4 })
    const brief = await openStore(t, { batchMs: 5, clock })
    for (const store of [few, brief]) {
      const heard = listen(t)
      await Promise.all(
        Array.from({ length: 10 }, (_, at) => store.write((tx) => tx.run(add, { id: `${at}`, body: '' }))),
      )
      assert.equal(
        heard.reduce((sum, commit) => sum + commit.units, 0),
        10,
      )
      assert.ok(heard.length >= 3, `${heard.length} commits`)
    }
  })

  it('write() lets the event loop turn between commits', async (t) => {
    const store = await openStore(t, { batchUnitsMax: 10 })
    let turns = 0
    let done = false
    const turn = () => {
      turns++
      if (!done) setImmediate(turn)
    }
    setImmediate(turn)
    await Promise.all(
      Array.from({ length: 500 }, (_, at) => store.write((tx) => tx.run(add, { id: `${at}`, body: '' }))),
    )
    done = true
    assert.ok(turns >= 49, `${turns} turns for 50 commits`)
  })

  it('write() refuses more units than may wait, with a hint when to come back', async (t) => {
    const store = await openStore(t, { queueMax: 5 })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, at) => store.write((tx) => tx.run(add, { id: `${at}`, body: '' }))),
    )
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason)
    assert.equal(refused.length, 3)
    for (const reason of refused) {
      assert.deepEqual([reason.code, reason.kind, reason.retryAfterMs], ['data.queue_full', 'exhausted', 100])
    }
    await store.write((tx) => tx.run(add, { id: 'later', body: '' }))
  })

  it('write() runs the work and its callbacks in the context of their caller', async (t) => {
    const store = await openStore(t)
    const who = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const write = () =>
      store.write(async (tx) => {
        seen.push(who.getStore())
        await tx.run(add, { id: who.getStore() ?? '', body: '' })
        tx.afterCommit(() => seen.push(`${who.getStore()} committed`))
      })
    await Promise.all([who.run('ada', write), who.run('bob', write)])
    assert.deepEqual(seen, ['ada', 'bob', 'ada committed', 'bob committed'])
  })

  it('write() waits in turns for another process that holds the file, and not for ever', async (t) => {
    const folder = await createSqliteFolder()
    t.after(() => folder[Symbol.asyncDispose]())
    await using store = await openSqliteStore({ path: folder.file, lockWaitMs: 250 })
    await migrate(store, sqliteSteps)
    const other = new DatabaseSync(folder.file)
    other.exec('begin immediate')
    let turns = 0
    const counting = setInterval(() => turns++, 1)
    const [one, two] = await Promise.allSettled([
      store.write((tx) => tx.run(add, { id: 'a', body: '' })),
      store.write((tx) => tx.run(add, { id: 'b', body: '' })),
    ])
    clearInterval(counting)
    for (const outcome of [one, two]) {
      assert.equal(outcome.status, 'rejected')
      assert.equal(outcome.reason.code, 'data.busy')
    }
    assert.ok(turns > 3, `${turns} turns of the event loop while waiting`)
    const patient = store.write((tx) => tx.run(add, { id: 'a', body: '' }))
    setTimeout(() => other.exec('commit'), 30)
    await patient
    other.close()
  })

  it('write() fails every unit of a commit that meets a full database, and goes on when there is room', async (t) => {
    const store = await openStore(t, { pagesMax: 40 })
    const heard = listen(t)
    const big = 'x'.repeat(30_000)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, at) => store.write((tx) => tx.run(add, { id: `${at}`, body: big }))),
    )
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
    for (const { reason } of failed) assert.deepEqual([reason.code, reason.kind], ['data.disk_full', 'exhausted'])
    const stored = await store.read((tx) => tx.get(count, {}))
    assert.equal(stored?.count, 12 - failed.length)
    assert.ok(failed.length > 0)
    assert.ok(heard.some((commit) => commit.failed === 'data.disk_full'))
    await store.write((tx) => tx.run(add, { id: 'small', body: '' }))
    assert.deepEqual(await store.read((tx) => tx.all(check, {})), [{ integrity_check: 'ok' }])
  })

  it('write() survives a disk that is full, loses nothing acknowledged and goes on when there is room', async (t) => {
    await using folder = await createSqliteFolder()
    const disk = join(folder.path, 'disk')
    await mkdir(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' })
    } catch {
      t.skip('a small file system cannot be mounted here')
      return
    }
    using _mount = { [Symbol.dispose]: () => execFileSync('umount', ['-l', disk]) }
    await using store = await openSqliteStore({ path: join(disk, 'store.db') })
    await migrate(store, sqliteSteps)
    await writeFile(join(disk, 'ballast'), new Uint8Array(400_000))
    const acknowledged = new Set<string>()
    const codes = new Set<string>()
    for (let round = 0; round < 30; round++) {
      const writing = Array.from({ length: 4 }, async (_, at) => {
        const id = `${round}-${at}`
        await store
          .write((tx) => tx.run(add, { id, body: 'x'.repeat(5000) }))
          .then(
            () => acknowledged.add(id),
            (error) => codes.add(error.code),
          )
      })
      await Promise.all(writing)
    }
    assert.deepEqual([...codes], ['data.disk_full'])
    assert.equal((await store.read((tx) => tx.get(count, {})))?.count, acknowledged.size)
    await writeFile(join(disk, 'ballast'), '')
    await store.write((tx) => tx.run(add, { id: 'room again', body: '' }))
    assert.deepEqual(await store.read((tx) => tx.all(check, {})), [{ integrity_check: 'ok' }])
  })
})

describe('openSqliteStore()', () => {
  it('refuses what is not the path of a file, and says all that is wrong with its options', async () => {
    for (const path of ['', ':memory:', 'file:a.db']) await assert.rejects(openSqliteStore({ path }), TypeError, path)
    await assert.rejects(openSqliteStore({ path: 'a.db', readersMax: 0, queueMax: 1.5 }), {
      name: 'RangeError',
      message:
        'Cannot open the SQLite store: readersMax is an integer from 1 to 64, received 0; ' +
        'queueMax is an integer from 1 to 1000000, received 1.5',
    })
  })

  it('refuses a file that is no database, and a folder that cannot be', async (t) => {
    const folder = await createSqliteFolder()
    t.after(() => folder[Symbol.asyncDispose]())
    await writeFile(folder.file, 'not a database, but long enough to be taken for one'.repeat(100))
    await assert.rejects(openSqliteStore({ path: folder.file }), { code: 'data.corrupt' })
    await assert.rejects(openSqliteStore({ path: join(folder.file, 'in-a-file', 'a.db') }), {
      code: 'data.cannot_open',
      kind: 'unavailable',
    })
  })

  it('bounds the readers and their queue', async (t) => {
    const store = await openStore(t, { readersMax: 2, queueMax: 1, acquireTimeoutMs: 40 })
    const goOn = Promise.withResolvers<void>()
    const held = [1, 2].map(() => store.read(() => goOn.promise))
    const waiting = store.read(async () => {})
    await assert.rejects(
      store.read(async () => {}),
      { code: 'data.queue_full' },
    )
    await assert.rejects(waiting, { code: 'data.pool_exhausted', kind: 'exhausted' })
    const next = store.read(async () => 'in')
    goOn.resolve()
    await Promise.all(held)
    assert.equal(await next, 'in')
  })
})
