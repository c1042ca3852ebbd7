import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import { createMemorySink } from '../testing.ts'
import { isLogThreshold, type LogLevel, logLevels } from './level.ts'
import { createLogLevels } from './levels.ts'
import { createLogger } from './logger.ts'

const writable = Object.keys(logLevels).filter((level): level is LogLevel => level !== 'off')

describe('log levels', () => {
  for (const [at, level] of writable.entries()) {
    it(`at ${level} writes what is as loud or louder, and isEnabled() says the same`, () => {
      const sink = createMemorySink()
      const log = createLogger({ sink, level, clock: createFakeClock() })
      for (const each of writable) log[each]('x')
      assert.deepEqual(
        sink.records.map((record) => record.level),
        writable.slice(at),
      )
      assert.deepEqual(
        writable.filter((each) => log.isEnabled(each)),
        writable.slice(at),
      )
    })
  }

  it('off writes nothing', () => {
    const sink = createMemorySink()
    createLogger({ sink, level: 'off' }).fatal('x')
    assert.equal(sink.lines.length, 0)
  })

  it('isLogThreshold() knows the levels and nothing inherited', () => {
    assert.deepEqual(['info', 'off', 'INFO', 'toString', 30].map(isLogThreshold), [true, true, false, false, false])
  })
})

describe('createLogLevels()', () => {
  it('changes loggers that exist already, those that a selector picks', () => {
    const sink = createMemorySink()
    const log = createLogger({ sink, clock: createFakeClock() })
    const orders = log.with({ service: 'orders' })
    const tenant = orders.with({ tenant: 42 })
    log.levels.set('service=orders', 'debug')
    log.levels.set('service=orders, tenant=42', 'error')
    for (const [at, each] of [log, orders, tenant].entries()) {
      each.debug('d', { at })
      each.info('i', { at })
    }
    assert.deepEqual(
      sink.records.map(({ event, at }) => `${event}${at}`),
      ['i0', 'd1', 'i1'],
    )
    log.levels.reset('service=orders, tenant=42')
    assert.equal(tenant.isEnabled('debug'), true)
    log.levels.set('*', 'fatal')
    assert.deepEqual([log.isEnabled('error'), orders.isEnabled('debug')], [false, true])
    log.levels.reset('*')
    assert.equal(log.isEnabled('info'), true)
  })

  it('prefers more pairs, and the later of equals', () => {
    const levels = createLogLevels('info')
    const fields = new Map([
      ['a', '1'],
      ['b', '2'],
    ])
    levels.set('a=1', 'debug')
    levels.set('b=2', 'error')
    assert.equal(levels.thresholdFor(fields), logLevels.error)
    levels.set('a=1', 'debug')
    assert.equal(levels.thresholdFor(fields), logLevels.debug)
    levels.set('a=1,b=2', 'off')
    assert.equal(levels.thresholdFor(fields), logLevels.off)
    assert.equal(levels.thresholdFor(new Map([['a', '2']])), logLevels.info)
  })

  it('ends a rule by itself, and a renewed rule at its new time only', async () => {
    const clock = createFakeClock()
    const levels = createLogLevels('info', { clock })
    const threshold = () => levels.thresholdFor(new Map([['a', '1']]))
    levels.set('a=1', 'trace', { forMs: 1000 })
    await clock.advance(500)
    levels.set('a=1', 'debug', { forMs: 1000 })
    await clock.advance(999)
    assert.equal(threshold(), logLevels.debug)
    await clock.advance(1)
    assert.deepEqual([threshold(), levels.rules(), clock.pendingTimers], [logLevels.info, [], 0])
  })

  for (const selector of ['', 'a', '=1', 'a=', 'a=1,', ',', 'a=1,,b=2']) {
    it(`refuses the selector ${JSON.stringify(selector)}`, () => {
      assert.throws(() => createLogLevels('info').set(selector, 'debug'), RangeError)
    })
  }

  it('refuses unknown levels and more rules than it may hold', () => {
    assert.throws(() => createLogLevels('loud' as 'info'), RangeError)
    const levels = createLogLevels('info', { rulesMax: 1 })
    levels.set('a=1', 'debug')
    assert.throws(() => levels.set('a=2', 'debug'), RangeError)
    assert.throws(() => levels.set('a=1', 'loud' as 'info'), RangeError)
    levels.set('a=1', 'trace')
    assert.deepEqual(levels.rules(), [{ selector: 'a=1', level: 'trace' }])
  })
})
