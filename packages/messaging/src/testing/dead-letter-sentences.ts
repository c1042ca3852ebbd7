import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Bus } from '../bus.ts'
import { type BusFixture, eventually, Heard, numbered, numberOf } from './bus-fixture.ts'

/** A group whose handler fails as long as `broken` is true. */
async function failingGroup(bus: Bus, group = 'g', topics: readonly string[] = ['orders.order']) {
  const state = { broken: true, heard: new Heard(), attempts: [] as number[] }
  await bus.subscribe({
    topics,
    group,
    retry: { attemptsMax: 2, backoffMinMs: 1 },
    async handler(message, { attempt }) {
      state.attempts.push(attempt)
      if (state.broken) throw new Error(`broken ${numberOf(message)}`)
      state.heard.add(message)
    },
  })
  return state
}

const dead = async (bus: Bus, count: number) =>
  eventually(async () => (await bus.admin.deadLetters({ limit: 1000 })).letters.length === count)

export function deadLetterSentences(open: () => Promise<BusFixture>): void {
  it('replay() delivers dead letters again, with their ids and in their order, to their group alone', async () => {
    await using fixture = await open()
    const { bus } = fixture
    const group = await failingGroup(bus)
    const other = new Heard()
    await bus.subscribe({ topics: ['orders.order'], group: 'other', handler: other.handler })
    const sent = numbered('a', 3)
    await bus.publish(sent)
    await dead(bus, 3)
    await other.count(3)
    group.broken = false
    group.attempts.length = 0
    assert.equal(await bus.admin.replay({ group: 'g' }), 3)
    await group.heard.count(3)
    assert.deepEqual(
      group.heard.messages.map(({ id }) => id),
      sent.map(({ id }) => id),
    )
    assert.deepEqual(group.attempts, [1, 1, 1])
    assert.equal(other.messages.length, 3)
    assert.deepEqual((await bus.admin.deadLetters({})).letters, [])
    assert.equal(await bus.admin.replay({ group: 'g' }), 0)
  })

  it('replay() of a letter that fails again makes it a dead letter again, under the same id', async () => {
    await using fixture = await open()
    const { bus } = fixture
    const group = await failingGroup(bus)
    await bus.publish(numbered('a', 1))
    await dead(bus, 1)
    const [first] = (await bus.admin.deadLetters({})).letters
    assert.equal(await bus.admin.replay({ ids: [first?.id ?? ''] }), 1)
    await eventually(async () => group.attempts.length === 4)
    await dead(bus, 1)
    const [second] = (await bus.admin.deadLetters({})).letters
    assert.equal(second?.id, first?.id)
    assert.equal(second?.message.id, first?.message.id)
    assert.deepEqual(group.attempts, [1, 2, 1, 2])
  })

  it('drop() removes dead letters for good and answers how many', async () => {
    await using fixture = await open()
    const { bus } = fixture
    const group = await failingGroup(bus)
    await bus.publish(numbered('a', 3))
    await dead(bus, 3)
    const [first] = (await bus.admin.deadLetters({})).letters
    assert.equal(await bus.admin.drop({ ids: [first?.id ?? '', first?.id ?? ''] }), 1)
    assert.equal(await bus.admin.drop({ ids: [first?.id ?? ''] }), 0)
    assert.equal(await bus.admin.drop({ group: 'nobody' }), 0)
    group.broken = false
    assert.equal(await bus.admin.replay({ group: 'g' }), 2)
    await group.heard.count(2)
    assert.deepEqual(group.heard.of('a'), [1, 2])
  })

  it('deadLetters() lists page by page, oldest first, by group and topic', async () => {
    await using fixture = await open()
    const { bus } = fixture
    await failingGroup(bus, 'g', ['a.one', 'a.two'])
    await failingGroup(bus, 'h', ['a.one'])
    await bus.publish([...numbered('k', 5, 'a.one'), ...numbered('k', 2, 'a.two')])
    await dead(bus, 12)
    const pages: number[][] = []
    let after: string | undefined
    do {
      const page = await bus.admin.deadLetters({
        group: 'g',
        topic: 'a.one',
        limit: 2,
        ...(after === undefined ? {} : { after }),
      })
      pages.push(page.letters.map(({ message }) => numberOf(message)))
      after = page.next
    } while (after !== undefined)
    assert.deepEqual(pages, [[0, 1], [2, 3], [4]])
    assert.equal((await bus.admin.deadLetters({ group: 'h' })).letters.length, 5)
    assert.equal((await bus.admin.deadLetters({ topic: 'a.two' })).letters.length, 2)
    assert.equal(await bus.admin.drop({ group: 'g', topic: 'a.one' }), 5)
    assert.equal((await bus.admin.deadLetters({})).letters.length, 7)
  })

  it('deadLetters(), replay() and drop() refuse limits and ids that cannot be', async () => {
    await using fixture = await open()
    const { admin } = fixture.bus
    const refused = { kind: 'invalid', code: 'messaging.invalid_query' }
    await assert.rejects(admin.deadLetters({ limit: 0 }), refused)
    await assert.rejects(admin.deadLetters({ limit: 1001 }), refused)
    await assert.rejects(admin.deadLetters({ after: 'nonsense' }), refused)
    await assert.rejects(admin.replay({ ids: ['../x'] }), refused)
    await assert.rejects(admin.drop({ ids: [''] }), refused)
    assert.equal(await admin.drop({ ids: ['999999'] }), 0)
  })
}
