import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import { enterScope, openScope } from './scope.ts'
import { createSemaphore } from './semaphore.ts'

const settled = () => createFakeClock().advance(0)

describe('createSemaphore()', () => {
  it('gives permits in the order they were asked for, whatever their weight', async () => {
    const semaphore = createSemaphore({ permits: 3 })
    const first = await semaphore.acquire({ weight: 2 })
    const order: string[] = []
    void semaphore.acquire({ weight: 3 }).then(() => order.push('heavy'))
    void semaphore.acquire().then(() => order.push('light'))
    await settled()
    assert.deepEqual([order, semaphore.waiting, semaphore.available], [[], 2, 1])
    first[Symbol.dispose]()
    await settled()
    assert.deepEqual(order, ['heavy'])
  })

  it('tryAcquire() never overtakes those who wait', async () => {
    const semaphore = createSemaphore({ permits: 2 })
    using _held = await semaphore.acquire()
    void semaphore.acquire({ weight: 2 })
    assert.equal(semaphore.tryAcquire(), undefined)
  })

  it('gives a permit back once, however often it is disposed', async () => {
    const semaphore = createSemaphore({ permits: 1 })
    const permit = await semaphore.acquire()
    permit[Symbol.dispose]()
    permit[Symbol.dispose]()
    assert.equal(semaphore.available, 1)
  })

  it('lets those behind go on when the first in the row gives up', async () => {
    const semaphore = createSemaphore({ permits: 2 })
    using _held = await semaphore.acquire()
    const own = new AbortController()
    const heavy = assert.rejects(semaphore.acquire({ weight: 2, signal: own.signal }), /left/)
    const light = semaphore.acquire()
    own.abort(new Error('left'))
    await heavy
    using permit = await light
    assert.equal(permit.weight, 1)
    assert.equal(getEventListeners(own.signal, 'abort').length, 0)
  })

  it('ends the waiting with the surrounding scope, and does not begin it in one that has ended', async () => {
    const semaphore = createSemaphore({ permits: 1 })
    using _held = await semaphore.acquire()
    using scope = openScope()
    const waiting = assert.rejects(
      enterScope(scope, () => semaphore.acquire()),
      { code: 'concurrency.cancelled' },
    )
    scope.cancel()
    await waiting
    await assert.rejects(
      enterScope(scope, () => semaphore.acquire()),
      { code: 'concurrency.cancelled' },
    )
    assert.equal(semaphore.waiting, 0)
  })

  it('refuses the caller for whom there is no place to wait', async () => {
    const semaphore = createSemaphore({ permits: 1, waitingMax: 1 })
    using _held = await semaphore.acquire()
    void semaphore.acquire()
    await assert.rejects(semaphore.acquire(), { kind: 'exhausted', code: 'concurrency.queue_full' })
  })

  it('run() gives back its permits when the work fails', async () => {
    const semaphore = createSemaphore({ permits: 1 })
    await assert.rejects(
      semaphore.run(() => {
        throw new Error('work')
      }),
      /work/,
    )
    assert.equal(await semaphore.run(() => 'next'), 'next')
    assert.equal(semaphore.available, 1)
  })

  for (const weight of [0, -1, 1.5, 4, Number.NaN]) {
    it(`refuses the weight ${weight} of 3 permits`, async () => {
      await assert.rejects(createSemaphore({ permits: 3 }).acquire({ weight }), RangeError)
    })
  }

  for (const options of [{ permits: 0 }, { permits: 1.5 }, { permits: Infinity }, { permits: 1, waitingMax: -1 }]) {
    it(`refuses ${Object.values(options)}`, () => assert.throws(() => createSemaphore(options), RangeError))
  }

  it('holds its bound and loses no permit in any order of events', async () => {
    const jobs = fc.array(fc.record({ weight: fc.integer({ min: 1, max: 4 }), leaves: fc.boolean() }), {
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), jobs, async (scheduler, plan) => {
        const semaphore = createSemaphore({ permits: 4 })
        let held = 0
        const ends = plan.map(async ({ weight, leaves }, at) => {
          const own = new AbortController()
          if (leaves) void scheduler.schedule(Promise.resolve(), `leave ${at}`).then(() => own.abort())
          const work = async () => {
            held += weight
            assert.ok(held <= 4)
            await scheduler.schedule(Promise.resolve(), `work ${at}`)
            held -= weight
          }
          await semaphore.run(work, { weight, signal: own.signal }).catch((error) => {
            assert.equal(error, own.signal.reason)
          })
        })
        await scheduler.waitFor(Promise.all(ends))
        assert.deepEqual([held, semaphore.available, semaphore.waiting], [0, 4, 0])
      }),
    )
  })
})
