import assert from 'node:assert/strict'
import { it } from 'node:test'
import { migrate } from '../migrations.ts'
import type { SqlWriter } from '../sql-store.ts'
import {
  add,
  addTwo,
  bump,
  type ContractSchema,
  find,
  list,
  openContractStore,
  put,
  type SqlStoreCapabilities,
  type TestDatabase,
  total,
  unless,
  withBump,
  withList,
} from './harness.ts'

/** Units of work: atomic, isolated, bounded in time, ended when they are over. */
export function unitsContract(openDatabase: () => Promise<TestDatabase>, can: SqlStoreCapabilities): void {
  it('write() stores all of a unit, and read() sees it', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const answer = await store.write(async (tx) => {
      await tx.run(add, { id: 'a', n: 1, body: null })
      await tx.run(add, { id: 'b', n: 2, body: 'two' })
      return (await tx.get(total, {}))?.total
    })
    assert.equal(answer, 3)
    const rows = await store.read((tx) => tx.all(list, {}))
    assert.deepEqual(rows, [
      { id: 'a', n: 1, body: null },
      { id: 'b', n: 2, body: 'two' },
    ])
  })

  it('write() takes back a unit that throws and nothing of the units beside it', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const refusal = new Error('no')
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) =>
        store.write(async (tx) => {
          await tx.run(add, { id: `${at}`, n: at, body: null })
          if (at % 2 === 1) throw refusal
        }),
      ),
    )
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : 'done')),
      outcomes.map((_, at) => (at % 2 === 1 ? refusal : 'done')),
    )
    const rows = await store.read((tx) => tx.all(list, {}))
    assert.equal(rows.length, 10)
  })

  it('write() refuses to commit after a failed statement even if the work caught the failure', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const attempt = store.write(async (tx) => {
      await tx.run(add, { id: 'a', n: 1, body: null })
      await tx.run(add, { id: 'a', n: 2, body: null }).catch(() => {})
      await assert.rejects(tx.run(add, { id: 'b', n: 2, body: null }), { code: 'data.unique_violation' })
    })
    await assert.rejects(attempt, { code: 'data.unique_violation', kind: 'exists' })
    assert.deepEqual(await store.read((tx) => tx.all(list, {})), [])
  })

  it('write() loses no update of forty at once', { skip: unless(can.serialisable) }, async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    await store.write((tx) => tx.run(add, { id: 'a', n: 0, body: null }))
    await Promise.all(
      Array.from({ length: 40 }, () =>
        store.write(async (tx) => {
          const row = await tx.get(find, { id: 'a' })
          await tx.run(put, { id: 'a', n: (row?.n ?? 0) + 1 })
        }),
      ),
    )
    assert.equal((await store.read((tx) => tx.get(find, { id: 'a' })))?.n, 40)
  })

  it('write() lets no two units pass that each read what the other writes', {
    skip: unless(can.serialisable),
  }, async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const takeIfFree = (id: string) =>
      store.write(async (tx) => {
        if ((await tx.get(total, {}))?.total !== 0) return 'taken'
        await tx.run(add, { id, n: 1, body: null })
        return 'mine'
      })
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map(takeIfFree))
    assert.deepEqual(answers.toSorted(), ['mine', 'taken', 'taken', 'taken'])
  })

  it('read() keeps one snapshot while others commit, and holds none of them up', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const outside = Promise.withResolvers<void>()
    const seen: number[] = []
    const reading = store.read(async (tx) => {
      seen.push((await tx.get(total, {}))?.total ?? -1)
      await outside.promise
      seen.push((await tx.get(total, {}))?.total ?? -1)
    })
    await store.write((tx) => tx.run(add, { id: 'a', n: 5, body: null }))
    outside.resolve()
    await reading
    assert.deepEqual(seen, [0, 0])
    assert.equal((await store.read((tx) => tx.get(total, {})))?.total, 5)
  })

  it('read() does not wait for a unit that is open', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const begun = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const writing = store.write(async (tx) => {
      await tx.run(add, { id: 'a', n: 5, body: null })
      begun.resolve()
      await goOn.promise
    })
    await begun.promise
    assert.equal((await store.read((tx) => tx.get(total, {})))?.total, 0)
    goOn.resolve()
    await writing
  })

  it('write() and read() refuse to begin inside a unit of the same store, and work again behind it', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const goOn = Promise.withResolvers<void>()
    let behind: Promise<unknown> = Promise.resolve()
    await store.write(async (tx) => {
      await assert.rejects(
        store.write(async () => {}),
        TypeError,
      )
      await assert.rejects(
        store.read(async () => {}),
        TypeError,
      )
      behind = goOn.promise.then(() => store.read(async () => 'read'))
      await tx.get(total, {})
    })
    await assert.rejects(
      store.read(() => store.read(async () => {})),
      TypeError,
    )
    goOn.resolve()
    assert.equal(await behind, 'read')
  })

  it('tx refuses all use after its unit', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    let kept: SqlWriter<ContractSchema> | undefined
    await store.write(async (tx) => {
      kept = tx
    })
    assert.ok(kept)
    const tx = kept
    await assert.rejects(tx.run(add, { id: 'a', n: 1, body: null }), TypeError)
    await assert.rejects(tx.get(find, { id: 'a' }), TypeError)
    await assert.rejects(tx.query.selectFrom('item').selectAll().execute(), TypeError)
    assert.throws(() => tx.afterCommit(() => {}), TypeError)
    assert.deepEqual(await store.read((reader) => reader.all(list, {})), [])
  })

  it('write() ends a unit that takes too long, and the next one goes on', async () => {
    await using database = await openDatabase()
    await using store = await database.open({ unitTimeoutMs: 300 })
    await using patient = await openContractStore(database)
    const goOn = Promise.withResolvers<void>()
    let late: Promise<unknown> = Promise.resolve()
    const slow = store.write(async (tx) => {
      await tx.run(add, { id: 'slow', n: 1, body: null })
      late = goOn.promise.then(() => tx.run(add, { id: 'later', n: 1, body: null }))
      await late
    })
    await assert.rejects(slow, { code: 'data.unit_too_long', kind: 'timeout' })
    await store.write((tx) => tx.run(add, { id: 'next', n: 1, body: null }))
    goOn.resolve()
    await assert.rejects(late, { code: 'data.unit_too_long' })
    const rows = await patient.read((tx) => tx.all(list, {}))
    assert.deepEqual(
      rows.map((row) => row.id),
      ['next'],
    )
  })

  it('read() ends a reader that takes too long', async () => {
    await using database = await openDatabase()
    await using store = await database.open({ unitTimeoutMs: 300 })
    await migrate(store, [])
    const never = new Promise<void>(() => {})
    await assert.rejects(
      store.read(() => never),
      { code: 'data.unit_too_long' },
    )
    assert.equal(await store.read(async () => 'next'), 'next')
  })

  it('write() ends with the reason of the signal: before, while it waits, and between statements', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const reason = new Error('enough')
    const work = (tx: SqlWriter<ContractSchema>) => tx.run(add, { id: 'no', n: 1, body: null })
    await assert.rejects(store.write(work, { signal: AbortSignal.abort(reason) }), reason)
    const waiting = new AbortController()
    const queued = store.write(work, { signal: waiting.signal })
    waiting.abort(reason)
    await assert.rejects(queued, reason)
    const between = new AbortController()
    const running = store.write(
      async (tx) => {
        await work(tx)
        between.abort(reason)
        await tx.run(add, { id: 'neither', n: 1, body: null })
      },
      { signal: between.signal },
    )
    await assert.rejects(running, reason)
    assert.deepEqual(await store.read((tx) => tx.all(list, {})), [])
  })

  it('afterCommit() calls back once what it announces can be read, and never after a rollback', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const calls: string[] = []
    const seen = Promise.withResolvers<unknown>()
    await store.write(async (tx) => {
      await tx.run(add, { id: 'a', n: 1, body: null })
      tx.afterCommit(() => {
        calls.push('committed')
        seen.resolve(store.read((reader) => reader.get(find, { id: 'a' })))
      })
    })
    assert.deepEqual(await seen.promise, { id: 'a', n: 1, body: null })
    await assert.rejects(
      store.write(async (tx) => {
        tx.afterCommit(() => calls.push('rolled back'))
        throw new Error('no')
      }),
    )
    assert.deepEqual(calls, ['committed'])
  })

  it('write() answers with the rows that a change returns', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    await store.write((tx) => tx.run(add, { id: 'a', n: 1, body: null }))
    assert.deepEqual(await store.write((tx) => tx.get(bump, { id: 'a' })), { n: 2 })
    assert.deepEqual(await store.write((tx) => tx.all(bump, { id: 'a' })), [{ n: 3 }])
    assert.deepEqual(await store.write((tx) => tx.run(bump, { id: 'a' })), { changes: 1 })
    assert.deepEqual(await store.write((tx) => tx.run(bump, { id: 'b' })), { changes: 0 })
    assert.equal(await store.write((tx) => tx.get(bump, { id: 'b' })), undefined)
  })

  it('run() counts the rows a change changed, and none for what changes nothing', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const counts = await store.write(async (tx) => {
      const added = await tx.run(add, { id: 'a', n: 1, body: null })
      const both = await tx.run(addTwo, {})
      const read = await tx.run(list, {})
      const withRead = await tx.run(withList, {})
      const withChange = await tx.run(withBump, {})
      return [added, both, read, withRead, withChange].map(({ changes }) => changes)
    })
    assert.deepEqual(counts, [1, 2, 0, 0, 3])
  })

  it('write() may begin inside a unit of another store, but not of the same one through it', async () => {
    await using database = await openDatabase()
    await using otherDatabase = await openDatabase()
    await using store = await openContractStore(database)
    await using other = await openContractStore(otherDatabase)
    await store.write(async (tx) => {
      await other.write(async (otherTx) => {
        await otherTx.run(add, { id: 'other', n: 1, body: null })
        await assert.rejects(
          store.read(async () => {}),
          TypeError,
        )
      })
      await tx.run(add, { id: 'one', n: 1, body: null })
    })
    const rows = await Promise.all([store, other].map((one) => one.read((tx) => tx.all(list, {}))))
    assert.deepEqual(
      rows.flat().map((row) => row.id),
      ['one', 'other'],
    )
  })

  it('store finishes what waits when it closes, and refuses what comes later', async () => {
    await using database = await openDatabase()
    const store = await openContractStore(database)
    const waiting = Array.from({ length: 5 }, (_, at) =>
      store.write((tx) => tx.run(add, { id: `${at}`, n: 1, body: null })),
    )
    const closing = store[Symbol.asyncDispose]()
    await Promise.all(waiting)
    await closing
    await assert.rejects(
      store.write(async () => {}),
      { code: 'data.closed' },
    )
    await assert.rejects(
      store.read(async () => {}),
      { code: 'data.closed' },
    )
    await store[Symbol.asyncDispose]()
    await using again = await database.open()
    assert.equal((await again.read((tx) => tx.all(list, {}))).length, 5)
  })
}
