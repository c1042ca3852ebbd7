import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, it } from 'node:test'
import { Secret, systemClock } from '@plinth/base'
import { currentScope, enterScope, isOutermostScope, openScope } from '@plinth/concurrency'
import { type MigratableStore, migrate, openPostgresStore, openSqliteStore, sql } from '@plinth/data'
import { createSqliteFolder } from '@plinth/data/testing'
import type { Bus, NewMessage } from './bus.ts'
import { inbox, inboxMigration } from './inbox.ts'
import { openMemoryBus } from './memory-bus.ts'
import { createOutbox, outboxMigration } from './outbox.ts'
import { type OutboxAnnouncement, type OutboxRelayOptions, startOutboxRelay } from './outbox-relay.ts'
import { eventually, Heard, newMessage, numbered } from './testing/bus-fixture.ts'

interface Database extends AsyncDisposable {
  readonly store: MigratableStore<unknown>
}

const migrations = [outboxMigration, inboxMigration]
const topics = ['orders.order']
const quick: OutboxRelayOptions = { pollMs: 20, lingerMs: 0, backoffMinMs: 1, backoffMaxMs: 10 }
const countRows = sql<Record<never, never>, { rows: number }>`select count(*) as rows from outbox`

const url = process.env.PLINTH_TEST_POSTGRES_URL
describeOutbox('SQLite', openSqlite)
if (url === undefined) {
  describe('Outbox: PostgreSQL', () => it('is not run', { skip: 'PLINTH_TEST_POSTGRES_URL is not set' }))
} else describeOutbox('PostgreSQL', () => openPostgres(url))

async function openSqlite(): Promise<Database> {
  const folder = await createSqliteFolder()
  const store = await openSqliteStore<unknown>({ path: folder.file })
  await migrate(store, migrations)
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

let schemas = 0
async function openPostgres(address: string): Promise<Database> {
  const schema = `messaging_${process.pid}_${schemas++}`
  const store = await openPostgresStore<unknown>({ url: new Secret(address), schema })
  await migrate(store, migrations)
  return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

async function left(store: MigratableStore<unknown>): Promise<number> {
  return await store.read(async (tx) => (await tx.get(countRows, {}))?.rows ?? 0)
}

function describeOutbox(name: string, open: () => Promise<Database>): void {
  describe(`Outbox: ${name}`, { timeout: 60_000 }, () => {
    it('carries what was committed and nothing of what was rolled back', async () => {
      await using database = await open()
      const { store } = database
      await using bus = await openMemoryBus()
      const heard = new Heard()
      await bus.subscribe({ topics, group: 'g', handler: heard.handler })
      const outbox = createOutbox({ headers: () => ({ traceparent: 'common', schema: 'overridden' }) })
      await using _relay = startOutboxRelay({ store, bus, outbox, clock: systemClock }, quick)
      const sent = newMessage({ key: 'ключ', headers: { schema: 'own' }, payload: new Uint8Array([0, 255, 10]) })
      await store.write((tx) => outbox.add(tx, [sent]))
      const rolledBack = store.write(async (tx) => {
        await outbox.add(tx, [newMessage()])
        throw new Error('changed my mind')
      })
      await assert.rejects(rolledBack, /changed my mind/)
      await store.write((tx) => outbox.add(tx, [newMessage({ key: 'last' })]))
      await heard.count(2)
      const { offset: _, ...got } = heard.messages.find(
        ({ key }) => key === sent.key,
      ) as (typeof heard.messages)[number]
      const expected = { ...sent, headers: { traceparent: 'common', schema: 'own' } }
      assert.deepEqual({ ...got, payload: [...got.payload] }, { ...expected, payload: [...sent.payload] })
      await eventually(async () => (await left(store)) === 0)
      assert.equal(heard.messages.length, 2)
    })

    it('works apart from the call whose commit woke it', async () => {
      await using database = await open()
      const { store } = database
      await using memory = await openMemoryBus()
      let bounded = 0
      const bus: Pick<Bus, 'publish'> = {
        async publish(messages) {
          if (!isOutermostScope(currentScope())) bounded++
          await memory.publish(messages)
        },
      }
      const heard = new Heard()
      await memory.subscribe({ topics, group: 'g', handler: heard.handler })
      const outbox = createOutbox()
      await using _relay = startOutboxRelay({ store, bus, outbox, clock: systemClock }, { ...quick, pollMs: 60_000 })
      // More than one, for a commit while the relay still works does not wake it.
      for (let round = 1; round <= 5; round++) {
        using call = openScope()
        await enterScope(call, () => store.write((tx) => outbox.add(tx, [newMessage()])))
        await heard.count(round)
        await eventually(async () => (await left(store)) === 0)
      }
      assert.equal(bounded, 0)
    })

    it('begins with what an earlier process left', async () => {
      await using database = await open()
      const { store } = database
      const outbox = createOutbox()
      await store.write((tx) => outbox.add(tx, numbered('a', 25)))
      await using bus = await openMemoryBus()
      const heard = new Heard()
      await bus.subscribe({ topics, group: 'g', handler: heard.handler })
      await using _relay = startOutboxRelay({ store, bus, clock: systemClock }, { ...quick, batchMessages: 4 })
      await heard.count(25)
      assert.deepEqual(
        heard.of('a'),
        Array.from({ length: 25 }, (_, n) => n),
      )
    })

    it('keeps the order of every key among many writers, through outages of the bus', async () => {
      await using database = await open()
      const { store } = database
      await using bus = await openMemoryBus()
      const heard = new Heard()
      await bus.subscribe({ topics, group: 'g', handler: heard.handler })
      let calls = 0
      const shaky: Pick<Bus, 'publish'> = {
        publish: (messages) => (++calls % 3 === 0 ? Promise.reject(new Error('away')) : bus.publish(messages)),
      }
      const outbox = createOutbox()
      const told: OutboxAnnouncement[] = []
      const listen = (event: unknown) => told.push(event as OutboxAnnouncement)
      subscribe('plinth:messaging:outbox', listen)
      await using _relay = startOutboxRelay(
        { store, bus: shaky, outbox, clock: systemClock },
        { ...quick, name: 'shaky' },
      )
      const writer = async (key: string) => {
        for (const message of numbered(key, 20)) await store.write((tx) => outbox.add(tx, [message]))
      }
      await Promise.all(['a', 'b', 'c', 'd'].map(writer))
      await heard.count(80)
      unsubscribe('plinth:messaging:outbox', listen)
      for (const key of ['a', 'b', 'c', 'd'])
        assert.deepEqual(
          heard.of(key),
          Array.from({ length: 20 }, (_, n) => n),
        )
      await eventually(async () => (await left(store)) === 0)
      const failures = told.filter((event) => event.fault !== undefined)
      assert.equal(failures.length, Math.floor(calls / 3))
      assert.ok(told.every((event) => event.name === 'shaky'))
    })

    it('publishes a batch again, and not less, when its removal fails', async () => {
      await using database = await open()
      const { store } = database
      await using bus = await openMemoryBus()
      const heard = new Heard()
      await bus.subscribe({ topics, group: 'g', handler: heard.handler })
      const outbox = createOutbox()
      await store.write((tx) => outbox.add(tx, numbered('a', 3)))
      let broken = true
      const flaky = Object.create(store, {
        write: {
          value: (work: Parameters<typeof store.write>[0]) => {
            if (heard.messages.length > 0 && broken) {
              broken = false
              return Promise.reject(new Error('the database went away'))
            }
            return store.write(work)
          },
        },
        read: { value: store.read.bind(store) },
        dialect: { value: store.dialect },
      }) as typeof store
      const waiting: Pick<Bus, 'publish'> = {
        async publish(messages) {
          await bus.publish(messages)
          await heard.count(3)
        },
      }
      await using _relay = startOutboxRelay({ store: flaky, bus: waiting, clock: systemClock }, quick)
      await heard.count(6)
      assert.deepEqual(heard.of('a'), [0, 1, 2, 0, 1, 2])
      await eventually(async () => (await left(store)) === 0)
    })

    it('ends a batch by its bytes, and takes one message that is larger', async () => {
      await using database = await open()
      const { store } = database
      const batches: (readonly NewMessage[])[] = []
      const bus: Pick<Bus, 'publish'> = { publish: async (messages) => void batches.push(messages) }
      const outbox = createOutbox()
      const sizes = [400, 400, 400, 5000, 10]
      await store.write((tx) =>
        outbox.add(
          tx,
          sizes.map((size) => newMessage({ payload: new Uint8Array(size) })),
        ),
      )
      await using _relay = startOutboxRelay({ store, bus, clock: systemClock }, { ...quick, batchBytes: 1000 })
      await eventually(async () => (await left(store)) === 0)
      assert.deepEqual(
        batches.map((batch) => batch.map(({ payload }) => payload.length)),
        [[400, 400, 400], [5000], [10]],
      )
    })

    const skip = name === 'SQLite' && 'a SQLite store belongs to one process and has one relay'
    it('lets one of several relays publish, and another follow when it closes', { skip }, async () => {
      await using database = await open()
      const { store } = database
      await using bus = await openMemoryBus()
      const heard = new Heard()
      await bus.subscribe({ topics, group: 'g', handler: heard.handler })
      const used: string[] = []
      const marked = (mark: string): Pick<Bus, 'publish'> => ({
        publish(messages) {
          used.push(mark)
          return bus.publish(messages)
        },
      })
      const outbox = createOutbox()
      const first = startOutboxRelay({ store, bus: marked('first'), outbox, clock: systemClock }, quick)
      await store.write((tx) => outbox.add(tx, numbered('a', 1)))
      await heard.count(1)
      await using _second = startOutboxRelay({ store, bus: marked('second'), outbox, clock: systemClock }, quick)
      for (const message of numbered('b', 20)) await store.write((tx) => outbox.add(tx, [message]))
      await heard.count(21)
      assert.ok(used.every((mark) => mark === 'first'))
      await first.close()
      await store.write((tx) => outbox.add(tx, numbered('c', 1)))
      await heard.count(22)
      assert.equal(used.at(-1), 'second')
      assert.deepEqual(
        heard.of('b'),
        Array.from({ length: 20 }, (_, n) => n),
      )
    })

    it('add() refuses what the bus could not take, before anything is written', async () => {
      await using database = await open()
      const { store } = database
      const outbox = createOutbox()
      await assert.rejects(
        store.write((tx) => outbox.add(tx, [newMessage(), newMessage({ topic: 'NO' })])),
        { code: 'messaging.invalid_message' },
      )
      assert.equal(await left(store), 0)
    })

    it('firstTime() answers true once for each group and message, also to racing units', async () => {
      await using database = await open()
      const { store } = database
      const note = (group: string, messageId: string) =>
        store.write((tx) => inbox.firstTime(tx, { group, messageId, nowMs: 1000 }))
      const race = await Promise.all(Array.from({ length: 10 }, () => note('g', 'one')))
      assert.equal(race.filter(Boolean).length, 1)
      assert.equal(await note('h', 'one'), true)
      assert.equal(await note('g', 'two'), true)
      const sweep = (beforeMs: number, rowsMax: number) => store.write((tx) => inbox.sweep(tx, { beforeMs, rowsMax }))
      assert.equal(await sweep(1000, 10), 0)
      assert.equal(await sweep(1001, 2), 2)
      assert.equal(await sweep(1001, 2), 1)
      assert.equal(await note('g', 'one'), true)
    })
  })
}
