import assert from 'node:assert/strict'
import { it } from 'node:test'
import { currentScope, withScope } from '@plinth/concurrency'
import { type BusFixture, eventually, Heard, newMessage, numbered, numberOf } from './bus-fixture.ts'

const topics = ['orders.order']

export function deliverySentences(open: () => Promise<BusFixture>): void {
  it('subscribe() never hands one key out twice at the same time, and different keys side by side', async () => {
    await using fixture = await open()
    const busy = new Set<string>()
    const heard = new Heard()
    let widest = 0
    await fixture.bus.subscribe({
      topics,
      group: 'g',
      concurrency: 4,
      async handler(message) {
        assert.ok(!busy.has(message.key), 'the key is under way already')
        busy.add(message.key)
        widest = Math.max(widest, busy.size)
        for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
        busy.delete(message.key)
        heard.add(message)
      },
    })
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    await fixture.bus.publish(keys.flatMap((key) => numbered(key, 10)))
    await heard.count(60)
    assert.equal(widest, 4)
    const expected = Array.from({ length: 10 }, (_, n) => n)
    for (const key of keys) assert.deepEqual(heard.of(key), expected)
  })

  it('subscribe() lets the members of a group share the work and keeps the order of every key', async () => {
    await using fixture = await open()
    const heard = new Heard()
    const share = [0, 0]
    const busy = new Set<string>()
    const join = (member: number) =>
      fixture.bus.subscribe({
        topics,
        group: 'g',
        concurrency: 1,
        async handler(message) {
          assert.ok(!busy.has(message.key), 'the key is under way at the other member')
          busy.add(message.key)
          await new Promise((resolve) => setImmediate(resolve))
          busy.delete(message.key)
          share[member] = (share[member] ?? 0) + 1
          heard.add(message)
        },
      })
    await join(0)
    await join(1)
    await fixture.bus.publish(['a', 'b', 'c', 'd'].flatMap((key) => numbered(key, 25)))
    await heard.count(100)
    assert.equal((share[0] as number) + (share[1] as number), 100)
    assert.ok(
      share.every((count) => count > 0),
      `one member did everything: ${share}`,
    )
    for (const key of ['a', 'b', 'c', 'd'])
      assert.deepEqual(
        heard.of(key),
        Array.from({ length: 25 }, (_, n) => n),
      )
  })

  it('subscribe() begins a new group at the earliest message, or at the latest when asked', async () => {
    await using fixture = await open()
    await fixture.bus.publish(numbered('a', 3))
    const early = new Heard()
    const late = new Heard()
    await fixture.bus.subscribe({ topics, group: 'early', handler: early.handler })
    await fixture.bus.subscribe({ topics, group: 'late', from: 'latest', handler: late.handler })
    await fixture.bus.publish([newMessage({ key: 'a', payload: Buffer.from('3') })])
    await early.count(4)
    await late.count(1)
    assert.deepEqual(early.of('a'), [0, 1, 2, 3])
    assert.deepEqual(late.of('a'), [3])
  })

  it('subscribe() lets a known group go on where it stopped, whatever `from` says', async () => {
    await using fixture = await open()
    const before = new Heard()
    const subscription = await fixture.bus.subscribe({ topics, group: 'g', handler: before.handler })
    await fixture.bus.publish(numbered('a', 3))
    await before.count(3)
    await subscription.close()
    await fixture.bus.publish([newMessage({ key: 'a', payload: Buffer.from('3') })])
    const after = new Heard()
    await fixture.bus.subscribe({ topics, group: 'g', from: 'latest', handler: after.handler })
    await after.count(1)
    assert.deepEqual(after.of('a'), [3])
  })

  it('subscribe() to several topics hears all of them and no other', async () => {
    await using fixture = await open()
    const heard = new Heard()
    await fixture.bus.subscribe({ topics: ['a.one', 'a.two'], group: 'g', handler: heard.handler })
    await fixture.bus.publish(['a.one', 'a.three', 'a.two'].map((topic) => newMessage({ topic })))
    await heard.count(2)
    assert.deepEqual(heard.messages.map(({ topic }) => topic).sort(), ['a.one', 'a.two'])
  })

  it('subscribe() to some types hears those, and acknowledges all others unseen', async () => {
    await using fixture = await open()
    const heard = new Heard()
    const { bus } = fixture
    await bus.subscribe({ topics: ['a.one'], group: 'g', types: ['wanted'], handler: heard.handler })
    await bus.publish(
      ['other', 'wanted', 'other', 'wanted', 'other'].map((type) => newMessage({ topic: 'a.one', type })),
    )
    await heard.count(2)
    assert.deepEqual(
      heard.messages.map(({ type }) => type),
      ['wanted', 'wanted'],
    )
    await bus.publish([newMessage({ topic: 'a.one', type: 'wanted' })])
    await heard.count(3)
    const all = { topics: ['a.one'], group: 'g', handler: heard.handler }
    await assert.rejects(bus.subscribe({ ...all, types: [] }), RangeError)
    await assert.rejects(bus.subscribe({ ...all, types: Array.from({ length: 101 }, String) }), RangeError)
  })

  it('subscribe() refuses topics, groups and numbers that cannot be', async () => {
    await using fixture = await open()
    const handler = async () => {}
    const refused = { kind: 'invalid', code: 'messaging.invalid_query' }
    await assert.rejects(fixture.bus.subscribe({ topics: [], group: 'g', handler }), refused)
    await assert.rejects(fixture.bus.subscribe({ topics: ['UPPER'], group: 'g', handler }), refused)
    await assert.rejects(fixture.bus.subscribe({ topics, group: 'a b', handler }), refused)
    await assert.rejects(fixture.bus.subscribe({ topics, group: 'g', handler, concurrency: 0 }), RangeError)
    await assert.rejects(fixture.bus.subscribe({ topics, group: 'g', handler, retry: { attemptsMax: 0 } }), RangeError)
  })

  it('a handler inherits neither deadline nor signal of the publisher', async () => {
    await using fixture = await open()
    const deadline = Promise.withResolvers<number>()
    await fixture.bus.subscribe({
      topics,
      group: 'g',
      handler: async () => deadline.resolve(currentScope().deadlineMs),
    })
    await withScope({ timeoutMs: 60_000 }, () => fixture.bus.publish([newMessage()]))
    assert.equal(await deadline.promise, Infinity)
  })

  it('close() waits for handlers under way and hands out nothing more', async () => {
    await using fixture = await open()
    const started = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const heard = new Heard()
    const subscription = await fixture.bus.subscribe({
      topics,
      group: 'g',
      async handler(message) {
        started.resolve()
        await gate.promise
        heard.add(message)
      },
    })
    await fixture.bus.publish(numbered('a', 2))
    await started.promise
    let closed = false
    const closing = subscription.close().then(() => {
      closed = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(closed, false)
    gate.resolve()
    await closing
    assert.deepEqual(heard.messages.map(numberOf), [0])
    const next = new Heard()
    await fixture.bus.subscribe({ topics, group: 'g', handler: next.handler })
    await next.count(1)
    assert.deepEqual(next.of('a'), [1])
  })

  it('close() aborts the signals of handlers that outlast its grace; their messages come again', async () => {
    await using fixture = await open()
    const started = Promise.withResolvers<void>()
    const subscription = await fixture.bus.subscribe({
      topics,
      group: 'g',
      handler: async (_message, { signal }) => {
        started.resolve()
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
        })
      },
    })
    await fixture.bus.publish(numbered('a', 1))
    await started.promise
    await subscription.close({ graceMs: 1 })
    const attempts: number[] = []
    const again = new Heard()
    await fixture.bus.subscribe({
      topics,
      group: 'g',
      async handler(message, { attempt }) {
        attempts.push(attempt)
        again.add(message)
      },
    })
    await again.count(1)
    assert.deepEqual(attempts, [1])
    await eventually(async () => (await fixture.bus.admin.groups())[0]?.lag === 0n)
  })
}
