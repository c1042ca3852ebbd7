import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type BusFixture, eventually, Heard, newMessage, numbered } from './bus-fixture.ts'

export function publishSentences(open: () => Promise<BusFixture>): void {
  it('publish() delivers every field as it was given', async () => {
    await using fixture = await open()
    const heard = new Heard()
    await fixture.bus.subscribe({ topics: ['a.full', 'a.bare'], group: 'g', handler: heard.handler })
    const full = newMessage({
      topic: 'a.full',
      key: 'κλειδί 🔑',
      headers: { schema: 'plinth.orders.v1.OrderPlaced', empty: '', ünïcode: 'ja✓' },
      payload: Uint8Array.from({ length: 70_000 }, (_, n) => n % 251),
    })
    const bare = newMessage({ topic: 'a.bare', key: '', timeMs: 0 })
    await fixture.bus.publish([full, bare])
    const messages = await heard.count(2)
    for (const sent of [full, bare]) {
      const { offset, ...got } = messages.find(({ id }) => id === sent.id) as (typeof messages)[number]
      assert.equal(offset, 0n)
      assert.deepEqual({ ...got, payload: [...got.payload] }, { ...sent, payload: [...sent.payload] })
    }
  })

  it('publish() keeps the payload of the moment it was called', async () => {
    await using fixture = await open()
    const heard = new Heard()
    await fixture.bus.subscribe({ topics: ['orders.order'], group: 'g', handler: heard.handler })
    const payload = new Uint8Array([1, 2, 3])
    const done = fixture.bus.publish([newMessage({ payload })])
    payload.fill(9)
    await done
    assert.deepEqual([...((await heard.count(1))[0]?.payload ?? [])], [1, 2, 3])
  })

  it('publish() delivers an id twice that was published twice', async () => {
    await using fixture = await open()
    const heard = new Heard()
    await fixture.bus.subscribe({ topics: ['orders.order'], group: 'g', handler: heard.handler })
    const message = newMessage()
    await fixture.bus.publish([message])
    await fixture.bus.publish([message])
    assert.deepEqual(
      (await heard.count(2)).map(({ id }) => id),
      [message.id, message.id],
    )
  })

  it('publish() takes an empty batch, and payloads up to the bound', async () => {
    await using fixture = await open()
    await fixture.bus.publish([])
    await fixture.bus.publish([newMessage({ payload: new Uint8Array(1 << 20) })])
    await assert.rejects(fixture.bus.publish([newMessage({ payload: new Uint8Array((1 << 20) + 1) })]), {
      kind: 'invalid',
      code: 'messaging.payload_too_large',
    })
  })

  const broken: [string, Parameters<typeof newMessage>[0]][] = [
    ['an empty topic', { topic: '' }],
    ['a topic in capitals', { topic: 'Orders.order' }],
    ['a topic that climbs', { topic: '../etc' }],
    ['a topic of 201 characters', { topic: 'a'.repeat(201) }],
    ['a key of 201 characters', { key: 'k'.repeat(201) }],
    ['a key with half a surrogate', { key: '\ud800' }],
    ['an id that is no UUID', { id: 'one' }],
    ['an empty type', { type: '' }],
    ['a time that is no number', { timeMs: Number.NaN }],
    ['a time before 1970', { timeMs: -1 }],
    ['too many headers', { headers: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`h${n}`, ''])) }],
    ['headers that are too long', { headers: { long: 'x'.repeat(16_385) } }],
  ]
  it('publish() refuses broken messages and with them their whole batch', async () => {
    await using fixture = await open()
    for (const [what, fields] of broken) {
      const refused = { kind: 'invalid', code: 'messaging.invalid_message' }
      await assert.rejects(fixture.bus.publish([newMessage(), newMessage(fields)]), refused, what)
    }
    await assert.rejects(fixture.bus.publish(numbered('k', 10_001)), { code: 'messaging.batch_too_large' })
    await fixture.bus.publish([newMessage()])
    const [topic] = await fixture.bus.admin.topics()
    assert.equal(topic?.nextOffset, 1n)
  })

  it('publish() throws the reason of a signal that has aborted', async () => {
    await using fixture = await open()
    const reason = new Error('no longer wanted')
    await assert.rejects(fixture.bus.publish([newMessage()], { signal: AbortSignal.abort(reason) }), reason)
    assert.deepEqual(await fixture.bus.admin.topics(), [])
  })

  it('publish() and subscribe() throw messaging.closed on a closed bus', async () => {
    await using fixture = await open()
    await fixture.bus[Symbol.asyncDispose]()
    const closed = { kind: 'unavailable', code: 'messaging.closed' }
    await assert.rejects(fixture.bus.publish([newMessage()]), closed)
    const handler = async () => {}
    await assert.rejects(fixture.bus.subscribe({ topics: ['orders.order'], group: 'g', handler }), closed)
    await assert.rejects(fixture.bus.admin.topics(), closed)
    await fixture.bus[Symbol.asyncDispose]()
  })

  it('publish() from many at once loses nothing and keeps the order of every key', async () => {
    await using fixture = await open()
    const heard = new Heard()
    const other = new Heard()
    await fixture.bus.subscribe({ topics: ['orders.order'], group: 'g', handler: heard.handler })
    await fixture.bus.subscribe({ topics: ['orders.order'], group: 'h', handler: other.handler })
    const publisher = async (key: string) => {
      for (const message of numbered(key, 30)) await fixture.bus.publish([message])
    }
    await Promise.all(Array.from({ length: 32 }, (_, n) => publisher(`key ${n}`)))
    await Promise.all([heard.count(960), other.count(960)])
    const expected = Array.from({ length: 30 }, (_, n) => n)
    for (let n = 0; n < 32; n++) {
      assert.deepEqual(heard.of(`key ${n}`), expected)
      assert.deepEqual(other.of(`key ${n}`), expected)
    }
    await eventually(async () => (await fixture.bus.admin.groups()).every(({ lag }) => lag === 0n))
  })
}
