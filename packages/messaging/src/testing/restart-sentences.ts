import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Bus } from '../bus.ts'
import { type BusCapabilities, type BusFixture, eventually, Heard, numbered, numberOf } from './bus-fixture.ts'

const topics = ['orders.order']

export function restartSentences(open: () => Promise<BusFixture>, capabilities: BusCapabilities): void {
  const skip = capabilities.durable === true ? false : capabilities.durable.because
  const restarted = async (fixture: BusFixture): Promise<Bus> => {
    assert.ok(fixture.restart, 'a durable bus can be restarted')
    return await fixture.restart()
  }

  it('after a restart a group goes on where it stopped', { skip }, async () => {
    await using fixture = await open()
    const before = new Heard()
    await fixture.bus.subscribe({ topics, group: 'g', handler: before.handler })
    await fixture.bus.publish(numbered('a', 3))
    await before.count(3)
    await eventually(async () => (await fixture.bus.admin.groups())[0]?.lag === 0n)
    const bus = await restarted(fixture)
    await bus.publish(numbered('b', 2))
    const after = new Heard()
    await bus.subscribe({ topics, group: 'g', from: 'latest', handler: after.handler })
    await after.count(2)
    assert.deepEqual(after.of('a'), [])
    assert.deepEqual(after.of('b'), [0, 1])
    const fresh = new Heard()
    await bus.subscribe({ topics, group: 'fresh', handler: fresh.handler })
    await fresh.count(5)
    assert.deepEqual(fresh.messages.map(({ offset }) => offset).sort(), [0n, 1n, 2n, 3n, 4n])
  })

  it('after a restart what was handled out of order does not come again, and what was not does', { skip }, async () => {
    await using fixture = await open()
    const heard = new Heard()
    await fixture.bus.subscribe({
      topics,
      group: 'g',
      retry: { backoffMinMs: 60_000, backoffMaxMs: 60_000 },
      async handler(message) {
        if (message.key === 'bad') throw new Error('later')
        heard.add(message)
      },
    })
    await fixture.bus.publish([...numbered('a', 2), ...numbered('bad', 2), ...numbered('a', 5)])
    await heard.count(7)
    await eventually(async () => (await fixture.bus.admin.groups())[0]?.lag === 2n)
    const bus = await restarted(fixture)
    assert.equal((await bus.admin.groups())[0]?.lag, 2n)
    const after = new Heard()
    const attempts: number[] = []
    await bus.subscribe({
      topics,
      group: 'g',
      async handler(message, { attempt }) {
        attempts.push(attempt)
        after.add(message)
      },
    })
    await after.count(2)
    assert.deepEqual(after.of('bad'), [0, 1])
    assert.deepEqual(after.of('a'), [])
    assert.deepEqual(attempts, [2, 1])
  })

  it('after a restart dead letters are there, and those being replayed are delivered', { skip }, async () => {
    await using fixture = await open()
    const handler = async () => {
      throw new Error('poison')
    }
    const subscription = await fixture.bus.subscribe({ topics, group: 'g', retry: { attemptsMax: 1 }, handler })
    await fixture.bus.publish(numbered('a', 4))
    await eventually(async () => (await fixture.bus.admin.deadLetters({})).letters.length === 4)
    await subscription.close()
    const { letters } = await fixture.bus.admin.deadLetters({})
    assert.equal(await fixture.bus.admin.drop({ ids: [letters[0]?.id ?? ''] }), 1)
    assert.equal(await fixture.bus.admin.replay({ ids: [letters[1]?.id ?? ''] }), 1)
    const bus = await restarted(fixture)
    const kept = (await bus.admin.deadLetters({})).letters
    assert.deepEqual(kept, letters.slice(2))
    const heard = new Heard()
    await bus.subscribe({ topics, group: 'g', handler: heard.handler })
    await heard.count(1)
    assert.deepEqual(heard.messages.map(numberOf), [1])
    assert.equal(await bus.admin.replay({ group: 'g' }), 2)
    await heard.count(3)
    assert.deepEqual(heard.messages.map(numberOf), [1, 2, 3])
  })
}
