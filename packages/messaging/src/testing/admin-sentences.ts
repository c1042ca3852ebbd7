import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Message } from '../bus.ts'
import { type BusFixture, eventually, Heard, numbered, numberOf } from './bus-fixture.ts'

export function adminSentences(open: () => Promise<BusFixture>): void {
  it('topics() tells offsets and sizes by topic', async () => {
    await using fixture = await open()
    await fixture.bus.publish([...numbered('k', 3, 'b.two'), ...numbered('k', 2, 'a.one')])
    const topics = await fixture.bus.admin.topics()
    assert.deepEqual(
      topics.map(({ topic, firstOffset, nextOffset }) => ({ topic, firstOffset, nextOffset })),
      [
        { topic: 'a.one', firstOffset: 0n, nextOffset: 2n },
        { topic: 'b.two', firstOffset: 0n, nextOffset: 3n },
      ],
    )
    assert.ok(topics.every(({ bytes }) => bytes > 0))
  })

  it('groups() tells what is committed, the lag and whether somebody listens', async () => {
    await using fixture = await open()
    const gate = Promise.withResolvers<void>()
    const heard = new Heard()
    const subscription = await fixture.bus.subscribe({
      topics: ['orders.order'],
      group: 'g',
      async handler(message) {
        if (message.key === 'slow') await gate.promise
        heard.add(message)
      },
    })
    await fixture.bus.publish([...numbered('quick', 2), ...numbered('slow', 1), ...numbered('quick', 3)])
    await heard.count(5)
    const info = async () => (await fixture.bus.admin.groups())[0]
    await eventually(async () => (await info())?.lag === 1n)
    assert.deepEqual(await info(), {
      group: 'g',
      topic: 'orders.order',
      committedOffset: 2n,
      lag: 1n,
      deadLetters: 0,
      active: true,
    })
    gate.resolve()
    await eventually(async () => (await info())?.committedOffset === 6n)
    await subscription.close()
    await eventually(async () => (await info())?.active === false)
  })

  it('tail() reads from an offset, from the earliest and from the latest, and ends with its signal', async () => {
    await using fixture = await open()
    const { bus } = fixture
    await bus.publish(numbered('k', 3))
    const take = async (from: 'earliest' | 'latest' | bigint, count: number, started?: () => void) => {
      const stop = new AbortController()
      const taken: Message[] = []
      started?.()
      for await (const message of bus.admin.tail({ topic: 'orders.order', from, signal: stop.signal })) {
        taken.push(message)
        if (taken.length === count) stop.abort()
      }
      return taken.map(numberOf)
    }
    assert.deepEqual(await take('earliest', 3), [0, 1, 2])
    assert.deepEqual(await take(1n, 2), [1, 2])
    const following = take(2n, 3)
    await bus.publish(numbered('k', 2))
    assert.deepEqual(await following, [2, 0, 1])
    const late = take('latest', 1)
    // What "latest" means is decided when the reader begins; messages are sent until it has heard one.
    let heard = false
    const sending = (async () => {
      while (!heard) await bus.publish(numbered('k', 1))
    })()
    assert.deepEqual(await late, [0])
    heard = true
    await sending
  })

  it('tail() refuses what is no topic and offsets below 0', async () => {
    await using fixture = await open()
    const refused = { kind: 'invalid', code: 'messaging.invalid_query' }
    const first = (from: bigint, topic: string) =>
      fixture.bus.admin.tail({ topic, from })[Symbol.asyncIterator]().next()
    await assert.rejects(first(0n, 'NO'), refused)
    await assert.rejects(first(-1n, 'orders.order'), refused)
  })
}
