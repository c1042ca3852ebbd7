import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type BusFixture, eventually, Heard, numbered, numberOf } from './bus-fixture.ts'

const topics = ['orders.order']

export function retrySentences(open: () => Promise<BusFixture>): void {
  it('a handler that fails is tried again with growing pauses, and its key waits', async () => {
    await using fixture = await open()
    const heard = new Heard()
    const attempts: { readonly attempt: number; readonly atMs: number }[] = []
    await fixture.bus.subscribe({
      topics,
      group: 'g',
      retry: { backoffMinMs: 10, backoffMaxMs: 25 },
      async handler(message, { attempt }) {
        if (numberOf(message) === 0) attempts.push({ attempt, atMs: performance.now() })
        if (numberOf(message) === 0 && attempt < 5) throw new Error('not yet')
        heard.add(message)
      },
    })
    await fixture.bus.publish(numbered('a', 3))
    await heard.count(3)
    assert.deepEqual(heard.of('a'), [0, 1, 2])
    assert.deepEqual(
      attempts.map(({ attempt }) => attempt),
      [1, 2, 3, 4, 5],
    )
    const pauses = attempts.slice(1).map(({ atMs }, at) => atMs - (attempts[at]?.atMs ?? 0))
    // A timer may fire up to a millisecond early by the monotonic clock.
    for (const [at, leastMs] of [10, 20, 25, 25].entries()) assert.ok((pauses[at] as number) >= leastMs - 1.5)
  })

  it('a handler that fails does not hold up other keys', async () => {
    await using fixture = await open()
    const heard = new Heard()
    let failures = 0
    await fixture.bus.subscribe({
      topics,
      group: 'g',
      concurrency: 2,
      retry: { backoffMinMs: 60_000, backoffMaxMs: 60_000 },
      async handler(message) {
        if (message.key.startsWith('bad')) {
          failures++
          throw new Error('broken')
        }
        heard.add(message)
      },
    })
    const bad = Array.from({ length: 8 }, (_, n) => numbered(`bad ${n}`, 300))
    await fixture.bus.publish(bad.flat())
    await fixture.bus.publish(numbered('good', 50))
    await heard.count(50)
    assert.deepEqual(
      heard.of('good'),
      Array.from({ length: 50 }, (_, n) => n),
    )
    assert.equal(failures, 8)
    const [group] = await fixture.bus.admin.groups()
    await eventually(async () => (await fixture.bus.admin.groups())[0]?.lag === 2400n)
    assert.equal(group?.committedOffset, 0n)
  })

  it('a message that keeps failing becomes a dead letter and its key goes on', async () => {
    await using fixture = await open()
    const heard = new Heard()
    const attempts: number[] = []
    await fixture.bus.subscribe({
      topics,
      group: 'g',
      retry: { attemptsMax: 3, backoffMinMs: 1 },
      async handler(message, { attempt }) {
        if (numberOf(message) === 1) {
          attempts.push(attempt)
          throw new Error('poison')
        }
        heard.add(message)
      },
    })
    const sent = numbered('a', 3)
    await fixture.bus.publish(sent)
    await heard.count(2)
    assert.deepEqual(heard.of('a'), [0, 2])
    assert.deepEqual(attempts, [1, 2, 3])
    const { letters, next } = await fixture.bus.admin.deadLetters({ group: 'g' })
    assert.equal(next, undefined)
    assert.equal(letters.length, 1)
    const [letter] = letters
    assert.equal(letter?.attempts, 3)
    assert.match(letter?.failure ?? '', /poison/)
    assert.equal(letter?.message.id, sent[1]?.id)
    assert.equal(letter?.message.offset, 1n)
    assert.equal(letter && numberOf(letter.message), 1)
    await eventually(async () => (await fixture.bus.admin.groups())[0]?.lag === 0n)
    assert.equal((await fixture.bus.admin.groups())[0]?.deadLetters, 1)
  })

  it('a handler that throws at once counts as one that rejects', async () => {
    await using fixture = await open()
    const heard = new Heard()
    await fixture.bus.subscribe({
      topics,
      group: 'g',
      retry: { backoffMinMs: 1 },
      handler(message, { attempt }) {
        if (attempt === 1) throw new Error('before any promise')
        heard.add(message)
        return Promise.resolve()
      },
    })
    await fixture.bus.publish(numbered('a', 1))
    await heard.count(1)
  })
}
