import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import { createAsyncQueue } from './async-queue.ts'

const settled = () => createFakeClock().advance(0)

describe('createAsyncQueue()', () => {
  it('hands over every item once and in order, never holding more than its capacity, in any order of events', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.nat(20),
        fc.integer({ min: 1, max: 4 }),
        async (scheduler, count, capacity) => {
          const queue = createAsyncQueue<number>({ capacity })
          const taken: number[] = []
          const make = async () => {
            for (let n = 1; n <= count; n++) {
              await scheduler.schedule(Promise.resolve(), `make ${n}`)
              await queue.put(n)
              assert.ok(queue.size <= capacity)
            }
            queue.close()
          }
          const use = async (name: string) => {
            for await (const n of queue) {
              taken.push(n)
              await scheduler.schedule(Promise.resolve(), `${name} uses ${n}`)
            }
          }
          await scheduler.waitFor(Promise.all([make(), use('a'), use('b')]))
          assert.deepEqual(
            taken,
            Array.from({ length: count }, (_, at) => at + 1),
          )
        },
      ),
    )
  })

  it('makes put() wait for room and tryPut() refuse', async () => {
    const queue = createAsyncQueue<string>({ capacity: 1 })
    await queue.put('a')
    assert.equal(queue.tryPut('b'), false)
    let hasPut = false
    const put = queue.put('c').then(() => {
      hasPut = true
    })
    await settled()
    assert.equal(hasPut, false)
    assert.equal(await queue.take(), 'a')
    await put
    assert.deepEqual([queue.tryTake(), queue.tryTake()], ['c', undefined])
  })

  it('leaves nothing of a put or take that its signal ended', async () => {
    const queue = createAsyncQueue<string>({ capacity: 1 })
    const own = new AbortController()
    const take = assert.rejects(queue.take({ signal: own.signal }), { name: 'AbortError' })
    own.abort()
    await take
    await queue.put('a')
    const other = new AbortController()
    const put = assert.rejects(queue.put('b', { signal: other.signal }), { name: 'AbortError' })
    other.abort()
    await put
    assert.deepEqual([await queue.take(), queue.tryTake()], ['a', undefined])
    await assert.rejects(queue.put('c', { signal: own.signal }), { name: 'AbortError' })
    await assert.rejects(queue.take({ signal: own.signal }), { name: 'AbortError' })
    assert.equal(queue.size, 0)
  })

  it('close() lets out what is in, then ends takers, and refuses those who put', async () => {
    const queue = createAsyncQueue<string>({ capacity: 1 })
    await queue.put('a')
    const refused = assert.rejects(queue.put('b'), { kind: 'unavailable', code: 'concurrency.closed' })
    queue.close()
    queue.close(new Error('too late to matter'))
    await refused
    await assert.rejects(queue.put('c'), { code: 'concurrency.closed' })
    assert.equal(queue.tryPut('d'), false)
    assert.deepEqual([await queue.take(), await queue.take(), queue.isClosed], ['a', undefined, true])
  })

  it('close() wakes those who wait to take, with its error if it has one', async () => {
    const quiet = createAsyncQueue<string>({ capacity: 1 })
    const waiting = [quiet.take(), quiet.take()]
    quiet.close()
    assert.deepEqual(await Promise.all(waiting), [undefined, undefined])

    const broken = createAsyncQueue<string>({ capacity: 1 })
    const taker = assert.rejects(broken.take(), /source failed/)
    broken.close(new Error('source failed'))
    await taker
    await assert.rejects(broken.take(), /source failed/)
  })

  for (const capacity of [0, -1, 1.5, Infinity, Number.NaN]) {
    it(`refuses the capacity ${capacity}`, () => assert.throws(() => createAsyncQueue({ capacity }), RangeError))
  }
})
