import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import { unitTooLong, withinTime } from './time-limit.ts'

describe('withinTime()', () => {
  it('gives what the work gives and leaves no timer', async () => {
    const clock = createFakeClock()
    const limit = { clock, timeoutMs: 10, late: () => unitTooLong(10) }
    assert.equal(await withinTime(Promise.resolve('done'), limit), 'done')
    await assert.rejects(withinTime(Promise.reject(new Error('no')), limit), { message: 'no' })
    assert.equal(clock.pendingTimers, 0)
  })

  it('ends when the time is up or the signal aborts, and drops what comes later', async () => {
    const clock = createFakeClock()
    const work = Promise.withResolvers<void>()
    const late = withinTime(work.promise, { clock, timeoutMs: 10, late: () => unitTooLong(10) })
    const refused = assert.rejects(late, { code: 'data.unit_too_long', details: { unitTimeoutMs: 10 } })
    await clock.advance(10)
    await refused
    const controller = new AbortController()
    const { signal } = controller
    const reason = new Error('enough')
    const aborted = assert.rejects(
      withinTime(work.promise, { clock, timeoutMs: 10, late: () => reason, signal }),
      reason,
    )
    controller.abort(reason)
    await aborted
    work.reject(new Error('too late to matter'))
    assert.equal(clock.pendingTimers, 0)
  })
})
