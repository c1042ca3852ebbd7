import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import { Turnstile } from './turnstile.ts'

const calm = new AbortController().signal

function open(places: number, queueMax: number) {
  const clock = createFakeClock()
  return { clock, turnstile: new Turnstile({ store: 'test', clock, places, queueMax, waitMs: 100 }) }
}

describe('Turnstile', () => {
  it('enter() lets as many in as there are places, and the others in the order they came', async () => {
    const { turnstile, clock } = open(2, 10)
    const order: number[] = []
    const entering = [1, 2, 3, 4, 5].map(async (at) => {
      await turnstile.enter(calm)
      order.push(at)
    })
    await clock.advance(0)
    assert.deepEqual([order, turnstile.waiting], [[1, 2], 3])
    turnstile.leave()
    await clock.advance(0)
    assert.deepEqual(order, [1, 2, 3])
    turnstile.leave()
    turnstile.leave()
    await Promise.all(entering)
    assert.deepEqual([order, turnstile.waiting, clock.pendingTimers], [[1, 2, 3, 4, 5], 0, 0])
  })

  it('enter() refuses when the queue is full, and when the wait is over', async () => {
    const { turnstile, clock } = open(1, 1)
    await turnstile.enter(calm)
    const waiting = assert.rejects(async () => turnstile.enter(calm), { code: 'data.pool_exhausted' })
    assert.throws(() => turnstile.enter(calm), { code: 'data.queue_full' })
    await clock.advance(100)
    await waiting
    turnstile.leave()
    assert.equal(turnstile.enter(calm), undefined)
  })

  it('enter() ends with the reason of the signal and gives its turn to the next', async () => {
    const { turnstile, clock } = open(1, 10)
    await turnstile.enter(calm)
    const controller = new AbortController()
    const reason = new Error('enough')
    const given = assert.rejects(async () => turnstile.enter(controller.signal), reason)
    const next = turnstile.enter(calm)
    controller.abort(reason)
    await given
    assert.throws(() => turnstile.enter(controller.signal), reason)
    turnstile.leave()
    await next
    assert.equal(clock.pendingTimers, 0)
  })

  it('enter() with the weight of all places waits until it is alone, and is not overtaken', async () => {
    const { turnstile, clock } = open(3, 10)
    const order: string[] = []
    const enter = async (name: string, weight: number, signal = calm) => {
      await turnstile.enter(signal, weight)
      order.push(name)
    }
    await enter('a', 1)
    const controller = new AbortController()
    const alone = enter('alone', 3)
    const other = enter('other', 3, controller.signal)
    const light = enter('light', 1)
    await clock.advance(0)
    assert.deepEqual(order, ['a'])
    turnstile.leave()
    await alone
    controller.abort()
    await assert.rejects(other)
    await clock.advance(0)
    assert.deepEqual(order, ['a', 'alone'])
    turnstile.leave(3)
    await light
    turnstile.leave()
    await turnstile.emptied()
  })

  it('emptied() settles when the last one has left', async () => {
    const { turnstile, clock } = open(2, 10)
    await turnstile.emptied()
    await turnstile.enter(calm)
    await turnstile.enter(calm)
    let isEmpty = false
    const emptied = turnstile.emptied().then(() => {
      isEmpty = true
    })
    turnstile.leave()
    await clock.advance(0)
    assert.equal(isEmpty, false)
    turnstile.leave()
    await emptied
  })

  it('enter() never lets more in than there are places, whatever happens', async () => {
    const action = fc.constantFrom('enter', 'leave', 'abort', 'wait')
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), async (actions, places) => {
        const { turnstile, clock } = open(places, 5)
        const controllers: AbortController[] = []
        let inside = 0
        for (const one of actions) {
          if (one === 'enter') {
            const controller = new AbortController()
            controllers.push(controller)
            const enter = async () => turnstile.enter(controller.signal)
            enter().then(
              () => inside++,
              () => {},
            )
          } else if (one === 'abort') controllers.shift()?.abort()
          else if (one === 'leave' && inside > 0) {
            inside--
            turnstile.leave()
          }
          await clock.advance(one === 'wait' ? 50 : 0)
          assert.ok(inside <= places)
        }
        await clock.advance(1000)
        while (inside > 0) {
          inside--
          turnstile.leave()
          await clock.advance(0)
        }
        await turnstile.emptied()
        assert.deepEqual([turnstile.waiting, clock.pendingTimers], [0, 0])
      }),
      { numRuns: 50 },
    )
  })
})
