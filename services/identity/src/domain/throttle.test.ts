import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { charge, refund, type ThrottlePolicy, type ThrottleState } from './throttle.ts'

const policy: ThrottlePolicy = { free: 3, pauseMinMs: 1000, pauseMaxMs: 8000, forgetAfterMs: 60_000 }

/** Charges as often as allowed, waiting out every pause; answers the pauses. */
function pauses(times: number): readonly number[] {
  let state: ThrottleState | undefined
  let nowMs = 1_000_000
  const seen: number[] = []
  for (let at = 0; at < times; at++) {
    const outcome = charge(state, { nowMs, policy })
    assert.ok('failures' in outcome)
    seen.push(Math.max(0, outcome.lockedUntilMs - nowMs))
    nowMs = Math.max(nowMs, outcome.lockedUntilMs)
    state = outcome
  }
  return seen
}

describe('charge()', () => {
  it('lets some through, then doubles the pause up to the limit', () => {
    assert.deepEqual(pauses(8), [0, 0, 1000, 2000, 4000, 8000, 8000, 8000])
  })

  it('refuses during a pause and says how long it still takes', () => {
    const state = { failures: 3, lastAtMs: 5000, lockedUntilMs: 6000 }
    assert.deepEqual(charge(state, { nowMs: 5400, policy }), { refused: 'login_locked', waitMs: 600 })
    assert.ok('failures' in charge(state, { nowMs: 6000, policy }))
  })

  it('counts attempts that are made at once', () => {
    let state: ThrottleState | undefined
    const outcomes = Array.from({ length: 10 }, () => {
      const outcome = charge(state, { nowMs: 1_000_000, policy })
      if ('failures' in outcome) state = outcome
      return 'failures' in outcome
    })
    assert.equal(outcomes.filter(Boolean).length, policy.free)
  })

  it('forgets after a time without failures', () => {
    const state = { failures: 9, lastAtMs: 0, lockedUntilMs: 8000 }
    assert.deepEqual(charge(state, { nowMs: 60_000, policy }), { failures: 1, lastAtMs: 60_000, lockedUntilMs: 0 })
  })

  it('does not lock an attempt whose clock was read before that of the one ahead', () => {
    const ahead = charge(undefined, { nowMs: 112, policy })
    assert.ok('failures' in ahead)
    assert.deepEqual(charge(ahead, { nowMs: 100, policy }), { failures: 2, lastAtMs: 100, lockedUntilMs: 0 })
  })

  it('stays finite after any number of failures', () => {
    const state = { failures: 1e6, lastAtMs: 0, lockedUntilMs: 0 }
    assert.deepEqual(charge(state, { nowMs: 1, policy }), { failures: 1_000_001, lastAtMs: 1, lockedUntilMs: 8001 })
  })
})

describe('refund()', () => {
  it('takes one charge and its pause back', () => {
    assert.equal(refund(undefined), undefined)
    assert.equal(refund({ failures: 1, lastAtMs: 1, lockedUntilMs: 9 }), undefined)
    assert.deepEqual(refund({ failures: 3, lastAtMs: 1, lockedUntilMs: 9 }), {
      failures: 2,
      lastAtMs: 1,
      lockedUntilMs: 0,
    })
  })
})
