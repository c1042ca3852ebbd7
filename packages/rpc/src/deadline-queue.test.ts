import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import { type DeadlineEntry, DeadlineQueue } from './deadline-queue.ts'

function entry(dueMs: number, fired: number[]): DeadlineEntry {
  return { dueMs, slot: -1, expire: () => fired.push(dueMs) }
}

describe('DeadlineQueue', () => {
  it('DeadlineQueue fires what is left in it, in order, each not before its time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 1000 }), fc.boolean()), { maxLength: 60 }),
        fc.nat({ max: 1200 }),
        async (plan, untilMs) => {
          const clock = createFakeClock()
          using queue = new DeadlineQueue(clock)
          const fired: number[] = []
          const entries = plan.map(([dueMs, stays]) => ({ one: entry(dueMs, fired), stays }))
          for (const { one } of entries) queue.add(one)
          for (const { one, stays } of entries) if (!stays) queue.remove(one)
          await clock.advance(untilMs)
          const staying = plan.filter(([, stays]) => stays).map(([dueMs]) => dueMs)
          const due = staying.filter((dueMs) => dueMs <= untilMs).sort((a, b) => a - b)
          assert.deepEqual(fired, due)
          assert.equal(queue.size, staying.length - due.length)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('DeadlineQueue sets one timer for any number of deadlines', () => {
    const clock = createFakeClock()
    using queue = new DeadlineQueue(clock)
    for (let i = 0; i < 1000; i++) {
      const one = entry(30_000 + i, [])
      queue.add(one)
      queue.remove(one)
      queue.remove(one)
    }
    assert.equal(queue.size, 0)
    assert.equal(clock.pendingTimers, 1)
    queue[Symbol.dispose]()
    assert.equal(clock.pendingTimers, 0)
  })
})
