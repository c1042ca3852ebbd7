import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { sleep, systemClock } from './clock.ts'
import { createFakeClock } from './testing.ts'

describe('sleep()', () => {
  it('resolves when the clock has moved on, not before', async () => {
    const clock = createFakeClock()
    let isAwake = false
    const sleeping = sleep(clock, 1000).then(() => {
      isAwake = true
    })
    await clock.advance(999)
    assert.equal(isAwake, false)
    await clock.advance(1)
    await sleeping
    assert.equal(isAwake, true)
  })

  it('rejects with the reason at once when the signal aborts, and leaves neither timer nor listener', async () => {
    const clock = createFakeClock()
    const controller = new AbortController()
    const reason = new Error('enough')
    const sleeping = sleep(clock, 1000, controller.signal)
    controller.abort(reason)
    await assert.rejects(sleeping, reason)
    assert.equal(clock.pendingTimers, 0)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  })

  it('rejects without setting a timer when the signal has aborted before', async () => {
    const clock = createFakeClock()
    await assert.rejects(sleep(clock, 1, AbortSignal.abort(new Error('before'))), /before/)
    assert.equal(clock.pendingTimers, 0)
  })

  it('leaves no listener on a long-lived signal after 100,000 naps', async () => {
    const instant = { ...createFakeClock(), setTimer: instantTimer }
    const { signal } = new AbortController()
    for (let nap = 0; nap < 100_000; nap++) await sleep(instant, 1, signal)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })
})

function instantTimer(callback: () => void) {
  queueMicrotask(callback)
  const cancel = () => {}
  return { cancel, [Symbol.dispose]: cancel }
}

describe('systemClock', () => {
  it('keeps delays beyond 32 bits instead of firing at once', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let fired = 0
    systemClock.setTimer(() => fired++, 2 ** 31 + 5000)
    t.mock.timers.tick(2 ** 31 - 1)
    t.mock.timers.tick(5000)
    assert.equal(fired, 0)
    t.mock.timers.tick(1)
    assert.equal(fired, 1)
  })

  it('cancels a long timer in its second leg too', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let fired = 0
    const timer = systemClock.setTimer(() => fired++, 2 ** 32)
    t.mock.timers.tick(2 ** 31)
    timer.cancel()
    t.mock.timers.tick(2 ** 31)
    t.mock.timers.tick(2 ** 31)
    assert.equal(fired, 0)
  })

  it('fires a negative delay once', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let fired = 0
    systemClock.setTimer(() => fired++, -5)
    t.mock.timers.tick(1)
    assert.equal(fired, 1)
  })
})

describe('createFakeClock()', () => {
  it('fires timers in order of time, then of making, each at its own time', async () => {
    const clock = createFakeClock(0)
    const seen: string[] = []
    const note = (name: string) => () => void seen.push(`${name}@${clock.nowMs()}`)
    clock.setTimer(note('late'), 30)
    clock.setTimer(note('first'), 10)
    clock.setTimer(note('second'), 10)
    clock.setTimer(note('beyond'), 31)
    await clock.advance(30)
    assert.deepEqual(seen, ['first@10', 'second@10', 'late@30'])
    assert.equal(clock.pendingTimers, 1)
  })

  it('fires timers that due timers set, when they are due within the same advance', async () => {
    const clock = createFakeClock(0)
    const seen: number[] = []
    clock.setTimer(() => {
      seen.push(clock.monotonicMs())
      clock.setTimer(() => seen.push(clock.monotonicMs()), 5)
    }, 5)
    await clock.advance(10)
    assert.deepEqual(seen, [5, 10])
  })

  it('stepWall() moves dates and leaves monotonic time and timers alone', async () => {
    const clock = createFakeClock(10_000)
    let fired = 0
    clock.setTimer(() => fired++, 100)
    clock.stepWall(-5000)
    assert.deepEqual([clock.nowMs(), clock.monotonicMs(), fired], [5000, 0, 0])
    await clock.advance(100)
    assert.deepEqual([clock.nowMs(), clock.monotonicMs(), fired], [5100, 100, 1])
  })

  it('refuses to advance by a negative time', async () => {
    await assert.rejects(createFakeClock().advance(-1), RangeError)
  })
})
