import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { createEventLoopCheck } from './event-loop-check.ts'
import { type CheckResult, createHealthController, type HealthReport } from './health-registry.ts'

const good = (): CheckResult => ({ ok: true })
const bad = (): CheckResult => ({ ok: false, reason: 'no room' })

function ready() {
  const clock = createFakeClock()
  const health = createHealthController({ clock })
  health.setPhase('ready')
  return { clock, health }
}

describe('health', () => {
  it('report() separates startup, live and ready, with reasons', async () => {
    const health = createHealthController({ clock: createFakeClock() })
    const { started, live, ready: isReady, reasons } = await health.report()
    assert.deepEqual(
      { started, live, isReady, reasons },
      { started: false, live: true, isReady: false, reasons: ['the application is starting'] },
    )
    health.setPhase('ready')
    assert.equal((await health.report()).status, 'ready')
    health.setPhase('draining')
    assert.deepEqual((await health.report()).reasons, ['the application is draining'])
  })

  for (const [criticality, status, live] of [
    ['degrading', 'degraded', true],
    ['critical', 'not_ready', true],
    ['fatal', 'not_ready', false],
  ] as const) {
    it(`report() is ${status} while a ${criticality} check fails`, async () => {
      const { health } = ready()
      health.register({ name: 'fine', check: good })
      using _check = health.register({ name: 'disk', check: bad, criticality })
      const report = await health.report()
      assert.deepEqual([report.status, report.live, report.reasons], [status, live, ['disk: no room']])
      _check[Symbol.dispose]()
      assert.equal((await health.report()).status, 'ready')
    })
  }

  it('report() runs a check once however many ask, and again only when its result is old', async () => {
    const { clock, health } = ready()
    let runs = 0
    health.register({ name: 'counted', cacheMs: 500, check: () => (++runs > 0 ? good() : bad()) })
    await Promise.all([health.report(), health.report()])
    await clock.advance(499)
    await health.report()
    assert.equal(runs, 1)
    await clock.advance(1)
    await health.report()
    assert.equal(runs, 2)
  })

  it('report() gives up on a check that ignores its deadline, and names the failure of one that throws', async () => {
    const { clock, health } = ready()
    health.register({ name: 'hangs', timeoutMs: 100, check: () => new Promise(() => {}) })
    health.register({ name: 'throws', check: () => Promise.reject(new Error('bang')) })
    const asking = health.report()
    await clock.advance(100)
    assert.deepEqual((await asking).reasons, ['hangs: no answer within 100 ms', 'throws: Error: bang'])
  })

  it('liveness() runs only fatal checks, so that a dependency that hangs restarts nothing', async () => {
    const { clock, health } = ready()
    health.register({ name: 'hangs', check: () => new Promise(() => {}) })
    const mine = health.register({ name: 'mine', criticality: 'fatal', check: bad })
    assert.deepEqual(await health.liveness(), {
      phase: 'ready',
      started: true,
      live: false,
      reasons: ['mine: no room'],
    })
    mine[Symbol.dispose]()
    assert.equal((await health.liveness()).live, true)
    assert.equal(clock.pendingTimers, 0)
  })

  it('subscribe() hears of the drain at once though a check hangs', async () => {
    const { clock, health } = ready()
    health.register({ name: 'hangs', check: () => new Promise(() => {}) })
    const seen: string[] = []
    using _subscription = health.subscribe(({ phase }) => seen.push(phase))
    health.setPhase('draining')
    assert.deepEqual(seen, ['draining'])
    await clock.advance(2000)
  })

  it('register() refuses a taken name and times out of bounds', () => {
    const { health } = ready()
    health.register({ name: 'a', check: good })
    assert.throws(() => health.register({ name: 'a', check: good }), /the name is taken/)
    assert.throws(
      () => health.register({ name: '', check: good, timeoutMs: 0, cacheMs: -1 }),
      /characters; timeoutMs.*; cacheMs/,
    )
  })

  it('subscribe() tells at once, on every phase and within a second of a change of a check', async () => {
    const { clock, health } = ready()
    let result = good()
    health.register({ name: 'disk', check: () => result, cacheMs: 0 })
    const seen: HealthReport['status'][] = []
    const subscription = health.subscribe(({ status }) => seen.push(status))
    await clock.advance(0)
    result = bad()
    await clock.advance(1000)
    await clock.advance(5000)
    result = good()
    await clock.advance(1000)
    health.setPhase('draining')
    await clock.advance(0)
    assert.deepEqual(seen, ['ready', 'not_ready', 'ready', 'not_ready'])
    subscription[Symbol.dispose]()
    await clock.advance(5000)
    assert.equal(clock.pendingTimers, 0)
    assert.equal(seen.length, 4)
  })

  it('createEventLoopCheck() notes a stall and forgets it after its window', () => {
    const { clock, jump, fire } = stallingClock()
    using check = createEventLoopCheck({ clock }, { stallMs: 500, windowMs: 10_000 })
    const run = () => check.check(AbortSignal.abort())
    jump(250)
    fire()
    assert.deepEqual(run(), { ok: true })
    jump(1650)
    assert.deepEqual(run(), { ok: false, reason: 'the event loop stalled for 1400 ms, 0 ms ago' })
    fire()
    for (let ticks = 0; ticks < 41; ticks++) {
      jump(250)
      fire()
    }
    assert.deepEqual(run(), { ok: true })
    assert.throws(() => createEventLoopCheck({ clock }, { stallMs: 1 }), RangeError)
    assert.throws(() => createEventLoopCheck({ clock }, { windowMs: 1 }), RangeError)
  })
})

/** A clock whose timers fire when the test says, late if it likes. */
function stallingClock() {
  let nowMs = 0
  let callback = () => {}
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    setTimer(next) {
      callback = next
      return { cancel() {}, [Symbol.dispose]() {} }
    },
  }
  return { clock, jump: (byMs: number) => (nowMs += byMs), fire: () => callback() }
}
