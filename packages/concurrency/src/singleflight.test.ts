import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import { currentScope, withScope } from './scope.ts'
import { createSingleflight } from './singleflight.ts'

const settled = () => createFakeClock().advance(0)

/** Work that ends when told, and says how often it ran and with which signal. */
function controlledWork<T>() {
  const outcome = Promise.withResolvers<T>()
  const signals: AbortSignal[] = []
  const work = (signal: AbortSignal) => {
    signals.push(signal)
    return outcome.promise
  }
  return { ...outcome, signals, work }
}

describe('createSingleflight()', () => {
  it('runs the work once for all who come meanwhile, and anew for who comes later', async () => {
    const flights = createSingleflight<string, number>()
    let runs = 0
    const load = async () => ++runs
    assert.deepEqual(
      await Promise.all([flights.run('a', load), flights.run('a', load), flights.run('b', load)]),
      [1, 1, 2],
    )
    assert.equal(await flights.run('a', load), 3)
    assert.equal(flights.size, 0)
  })

  it('gives a failure to all who wait and to nobody after', async () => {
    const flights = createSingleflight<string, number>()
    const { work, reject } = controlledWork<number>()
    const both = [flights.run('a', work), flights.run('a', work)].map((call) => assert.rejects(call, /broken/))
    reject(new Error('broken'))
    await Promise.all(both)
    assert.equal(await flights.run('a', () => 1), 1)
  })

  it('takes a throw before the first await as the outcome', async () => {
    const flights = createSingleflight<string, number>()
    const call = flights.run('a', () => {
      throw new Error('at once')
    })
    await assert.rejects(call, /at once/)
    assert.equal(flights.size, 0)
  })

  it('goes on while one caller waits, and is cancelled when the last has left', async () => {
    const flights = createSingleflight<string, number>()
    const { work, signals } = controlledWork<number>()
    const callers = [new AbortController(), new AbortController()]
    const calls = callers.map(({ signal }) =>
      assert.rejects(flights.run('a', work, { signal }), { name: 'AbortError' }),
    )
    callers[0]?.abort()
    await settled()
    assert.equal(signals[0]?.aborted, false)
    callers[1]?.abort()
    await Promise.all(calls)
    assert.equal(signals[0]?.reason.code, 'concurrency.cancelled')
  })

  it('starts anew for a caller who comes when the work is being cancelled', async () => {
    const flights = createSingleflight<string, string>()
    const { work, resolve } = controlledWork<string>()
    const own = new AbortController()
    const left = assert.rejects(flights.run('a', work, { signal: own.signal }))
    own.abort()
    const next = flights.run('a', () => 'new')
    resolve('old')
    await left
    assert.equal(await next, 'new')
  })

  it('runs the work outside the deadline of whoever started it', async () => {
    const flights = createSingleflight<string, number>()
    const clock = createFakeClock()
    const { work, resolve } = controlledWork<number>()
    let deadlineMs = 0
    const hasty = withScope({ timeoutMs: 10, clock }, () =>
      flights.run('a', (signal) => {
        deadlineMs = currentScope().deadlineMs
        return work(signal)
      }),
    )
    const refused = assert.rejects(hasty, { code: 'concurrency.deadline' })
    const patient = flights.run('a', work)
    await clock.advance(10)
    await refused
    resolve(5)
    assert.deepEqual([await patient, deadlineMs], [5, Infinity])
  })

  it('forget() lets the next caller start anew while the others keep waiting', async () => {
    const flights = createSingleflight<string, string>()
    const { work, resolve } = controlledWork<string>()
    const first = flights.run('a', work)
    flights.forget('a')
    const second = flights.run('a', () => 'new')
    resolve('old')
    assert.deepEqual(await Promise.all([first, second]), ['old', 'new'])
    flights.forget('unknown')
  })

  it('does not begin for a caller whose signal has aborted', async () => {
    const flights = createSingleflight<string, number>()
    const call = flights.run('a', () => assert.fail('must not run'), { signal: AbortSignal.abort() })
    await assert.rejects(call, { name: 'AbortError' })
    assert.equal(flights.size, 0)
  })
})
