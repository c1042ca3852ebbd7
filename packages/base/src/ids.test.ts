import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createIds, isUuid } from './ids.ts'
import { createSeededRandom } from './random.ts'

const v7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** A generator on a clock whose next readings are given; the last one stays. */
function idsAt(readings: readonly number[], seed = 1) {
  let at = 0
  const nowMs = () => readings[Math.min(at++, readings.length - 1)] as number
  const clock = { nowMs, monotonicMs: nowMs, setTimer: () => assert.fail('no timer') }
  return createIds({ clock, random: createSeededRandom(seed) })
}

describe('createIds()', () => {
  it('makes version 7 UUIDs whose first 48 bits are the time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 48 - 1 }), fc.nat(), (ms, seed) => {
        const id = idsAt([ms], seed).next()
        assert.match(id, v7)
        assert.ok(isUuid(id))
        assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), ms)
      }),
    )
  })

  it('ids of one generator sort strictly, whatever the clock does', () => {
    const readings = fc.array(fc.double({ min: 1e12, max: 1e12 + 20, noNaN: true }), { minLength: 2, maxLength: 200 })
    fc.assert(
      fc.property(readings, fc.nat(), (times, seed) => {
        const ids = idsAt(times, seed)
        const made = times.map(() => ids.next())
        assert.deepEqual(made, [...new Set(made)].sort())
      }),
    )
  })

  it('borrows from the next millisecond when the counter runs over, and stays in order', () => {
    const ids = idsAt([1e12])
    const made = Array.from({ length: 20_000 }, () => ids.next())
    assert.deepEqual(made, [...new Set(made)].sort())
    const borrowedMs = Number.parseInt((made.at(-1) as string).replaceAll('-', '').slice(0, 12), 16) - 1e12
    assert.ok(borrowedMs >= 4 && borrowedMs <= 10, `borrowed ${borrowedMs} ms`)
  })

  it('goes on in order when the clock steps back an hour', () => {
    const ids = idsAt([1e12, 1e12 - 3_600_000, 1e12 - 3_599_999])
    const made = [ids.next(), ids.next(), ids.next()]
    assert.deepEqual(made, [...made].sort())
  })
})

describe('isUuid()', () => {
  const rows: [string, boolean][] = [
    ['00000000-0000-0000-0000-000000000000', true],
    ['0190f8a0-0000-7000-8000-000000000000', true],
    ['0190F8A0-0000-7000-8000-000000000000', false],
    ['0190f8a0-0000-7000-8000-00000000000', false],
    ['0190f8a0-0000-7000-8000-0000000000000', false],
    ['0190f8a000007000800000000000000000', false],
    ['{0190f8a0-0000-7000-8000-000000000000}', false],
    ['0190f8a0-0000-7000-8000-000000000000\n', false],
    ['', false],
  ]
  for (const [value, expected] of rows) {
    it(`isUuid(${JSON.stringify(value)}) is ${expected}`, () => assert.equal(isUuid(value), expected))
  }
})
