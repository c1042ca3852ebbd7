import assert from 'node:assert/strict'
import { it } from 'node:test'
import { findAnswer, idempotencyMigration, idempotent, sweepIdempotency } from '../idempotency.ts'
import { type Migration, migrate } from '../migrations.ts'
import { add, contractMigrations, list, type SqlStoreCapabilities, type TestDatabase, unless } from './harness.ts'

const first = contractMigrations[0] as Migration
const second = { id: '0002_two', up: 'create table two (id text primary key); create index two_id on two (id);' }
const third = { id: '0003_three', up: 'create table three (id text primary key)' }

/** Migrations run once, in order, whole, and tell when the past was changed. */
export function migrationsContract(openDatabase: () => Promise<TestDatabase>, can: SqlStoreCapabilities): void {
  it('migrate() runs what is missing, in order, once', async () => {
    await using database = await openDatabase()
    await using store = await database.open()
    assert.deepEqual((await migrate(store, [first])).applied, ['0001_item'])
    assert.deepEqual((await migrate(store, [first, second, third])).applied, ['0002_two', '0003_three'])
    assert.deepEqual((await migrate(store, [first, second, third])).applied, [])
  })

  it('migrate() with dryRun says what would run and touches nothing', async () => {
    await using database = await openDatabase()
    await using store = await database.open()
    const before = await migrate(store, [first, second], { dryRun: true })
    assert.deepEqual(
      before.pending.map((step) => step.id),
      ['0001_item', '0002_two'],
    )
    assert.equal(before.pending[1]?.text, second.up)
    await migrate(store, [first])
    const after = await migrate(store, [first, second], { dryRun: true })
    assert.deepEqual([after.applied, after.pending.map((step) => step.id)], [[], ['0002_two']])
  })

  it('migrate() refuses a changed step, an unknown one and one that comes too late', async () => {
    await using database = await openDatabase()
    await using store = await database.open()
    await migrate(store, [first, third])
    const refused: readonly (readonly [string, Migration[]])[] = [
      ['data.migration_changed', [{ ...first, up: 'create table other (id text)' }, third]],
      ['data.migration_unknown', [first]],
      ['data.migration_order', [first, second, third]],
    ]
    for (const [code, list] of refused) {
      await assert.rejects(migrate(store, list), { code, kind: 'precondition' }, code)
      await assert.rejects(migrate(store, list, { dryRun: true }), { code }, code)
    }
    assert.deepEqual((await migrate(store, [first, third])).applied, [])
  })

  it('migrate() leaves nothing of a step that fails and keeps those before it', async () => {
    await using database = await openDatabase()
    await using store = await database.open()
    const broken = {
      id: '0003_broken',
      up: 'create table three (id text primary key); insert into nowhere values (1);',
    }
    await assert.rejects(migrate(store, [first, second, broken]), { code: 'data.statement_refused' })
    assert.deepEqual((await migrate(store, [first, second, third])).applied, ['0003_three'])
  })

  it('migrate() does the work once for two that start at the same moment', { skip: unless(can.shared) }, async () => {
    await using database = await openDatabase()
    await using one = await database.open()
    await using other = await database.open()
    const steps = [first, second, third]
    const plans = await Promise.all([migrate(one, steps), migrate(other, steps)])
    assert.deepEqual(plans.flatMap((plan) => plan.applied).toSorted(), ['0001_item', '0002_two', '0003_three'])
  })

  it('migrate() refuses a constraint that is checked at the commit', async () => {
    await using database = await openDatabase()
    await using store = await database.open()
    const up = 'create table leaf (id text references root (id) deferrable INITIALLY\n deferred)'
    await assert.rejects(migrate(store, [{ id: '0001_leaf', up }]), TypeError)
  })

  it('migrate() refuses a list that is out of order or has a malformed id', async () => {
    await using database = await openDatabase()
    await using store = await database.open()
    for (const ids of [['0002_b', '0001_a'], ['0001_a', '0001_a'], ['1_a'], ['0001_A'], ['0001'], ["0001_a'; drop"]]) {
      const steps = ids.map((id) => ({ id, up: 'select 1' }))
      await assert.rejects(migrate(store, steps), TypeError, ids.join())
    }
  })
}

/** A command with an idempotency key happens once, whoever repeats it and however many at once. */
export function idempotencyContract(openDatabase: () => Promise<TestDatabase>): void {
  const steps = [...contractMigrations, idempotencyMigration('0002_idempotency')]
  const command = { scope: 'place ada', key: 'k1', fingerprint: 'f', nowMs: 1000 }
  const bytes = new Uint8Array([0, 1, 255])

  async function open(database: TestDatabase) {
    const store = await database.open()
    await migrate(store, steps)
    return store
  }

  it('idempotent() does the work once for twenty at the same moment and answers all alike', async () => {
    await using database = await openDatabase()
    await using store = await open(database)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        store.write((tx) =>
          idempotent(tx, command, async () => {
            await tx.run(add, { id: `${at}`, n: 1, body: null })
            return bytes
          }),
        ),
      ),
    )
    assert.equal(answers.filter((answer) => !answer.replayed).length, 1)
    for (const { answer } of answers) assert.deepEqual(answer, bytes)
    assert.equal((await store.read((tx) => tx.all(list, {}))).length, 1)
  })

  it('idempotent() refuses a key that was used for another request, and shares none between scopes', async () => {
    await using database = await openDatabase()
    await using store = await open(database)
    const run = (change: Partial<typeof command>) =>
      store.write((tx) => idempotent(tx, { ...command, ...change }, async () => bytes))
    const look = (fingerprint: string) => store.read((tx) => findAnswer(tx, { ...command, fingerprint }))
    assert.equal(await look('f'), undefined)
    await run({})
    assert.deepEqual(await look('f'), bytes)
    await assert.rejects(look('g'), { code: 'data.idempotency_mismatch' })
    await assert.rejects(run({ fingerprint: 'g' }), { code: 'data.idempotency_mismatch', kind: 'precondition' })
    assert.equal((await run({ scope: 'place bob', fingerprint: 'g' })).replayed, false)
    for (const text of ['', 'x'.repeat(256)]) {
      await assert.rejects(run({ key: text }), { code: 'data.idempotency_key', kind: 'invalid' })
      await assert.rejects(run({ scope: text }), { code: 'data.idempotency_key' })
    }
    assert.equal((await run({ key: 'x'.repeat(255), scope: 'y'.repeat(255) })).replayed, false)
  })

  it('idempotent() stores nothing of work that failed, so it may be repeated', async () => {
    await using database = await openDatabase()
    await using store = await open(database)
    const failed = store.write((tx) =>
      idempotent(tx, command, async () => {
        throw new Error('no')
      }),
    )
    await assert.rejects(failed, { message: 'no' })
    const again = await store.write((tx) => idempotent(tx, command, async () => bytes))
    assert.equal(again.replayed, false)
  })

  it('sweepIdempotency() forgets the oldest first, as many as it may and no younger ones', async () => {
    await using database = await openDatabase()
    await using store = await open(database)
    const run = (at: number) =>
      store.write((tx) => idempotent(tx, { ...command, key: `${at}`, nowMs: at }, async () => bytes))
    for (let at = 0; at < 5; at++) await run(at)
    const sweep = () => store.write((tx) => sweepIdempotency(tx, { beforeMs: 3, rowsMax: 2 }))
    assert.deepEqual([await sweep(), await sweep(), await sweep()], [2, 1, 0])
    assert.deepEqual([(await run(2)).replayed, (await run(3)).replayed], [false, true])
    for (const rowsMax of [0, 10_001, 1.5]) {
      await assert.rejects(
        store.write((tx) => sweepIdempotency(tx, { beforeMs: 1, rowsMax })),
        RangeError,
      )
    }
  })
}
