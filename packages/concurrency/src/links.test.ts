import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { limitAtOnce, timeLimit } from './links.ts'
import { compose } from './middleware.ts'
import { currentScope, withScope } from './scope.ts'
import { createSemaphore } from './semaphore.ts'

const code = (expected: string) => (error: unknown) => PlatformError.is(error) && error.code === expected

describe('links', () => {
  it('timeLimit() aborts what stands behind it when the time is up, and not what is done in time', async () => {
    const clock = createFakeClock()
    const handle = compose([timeLimit<number, number, void>(100)], async (delayMs) => {
      const { signal } = currentScope()
      const timer = Promise.withResolvers<number>()
      clock.setTimer(() => timer.resolve(delayMs), delayMs)
      signal.addEventListener('abort', () => timer.reject(signal.reason))
      return await timer.promise
    })
    await withScope({ clock }, async () => {
      const quick = handle(99, undefined)
      const slow = assert.rejects(handle(101, undefined), code('concurrency.deadline'))
      await clock.advance(200)
      assert.equal(await quick, 99)
      await slow
    })
  })

  it('limitAtOnce() lets no more through than there are permits, in order, and gives them back after a failure', async () => {
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
    const begun: number[] = []
    const handle = compose([limitAtOnce<number, void, void>(createSemaphore({ permits: 2 }))], async (index) => {
      begun.push(index)
      await gates[index]?.promise
    })
    const running = gates.map((_, index) => handle(index, undefined).catch(() => 'failed'))
    await new Promise(setImmediate)
    assert.deepEqual(begun, [0, 1])
    gates[1]?.reject(new Error('breaks'))
    assert.equal(await running[1], 'failed')
    await new Promise(setImmediate)
    assert.deepEqual(begun, [0, 1, 2])
    for (const gate of gates) gate.resolve()
    await Promise.all(running)
    assert.deepEqual(begun, [0, 1, 2, 3])
  })

  it('limitAtOnce() refuses when too many wait', async () => {
    const gate = Promise.withResolvers<void>()
    const permits = createSemaphore({ permits: 1, waitingMax: 1 })
    const handle = compose([limitAtOnce<void, void, void>(permits)], () => gate.promise)
    const running = [handle(undefined, undefined), handle(undefined, undefined)]
    await assert.rejects(handle(undefined, undefined), code('concurrency.queue_full'))
    gate.resolve()
    await Promise.all(running)
  })
})
