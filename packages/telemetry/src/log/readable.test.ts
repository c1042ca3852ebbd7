import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import { createMemorySink } from '../testing.ts'
import { createLogger } from './logger.ts'
import { formatReadable, wantsColors } from './readable.ts'

const harmful = /[\p{Cc}\u2028-\u202e]/u

// A clock whose local time is known whatever the zone of the machine.
const localNoon = new Date(2026, 0, 1, 12, 30, 15, 7).getTime()

function linesOf(write: (log: ReturnType<typeof createLogger>) => void, colors = false): string[] {
  const sink = createMemorySink()
  write(createLogger({ sink, clock: createFakeClock(localNoon), format: 'readable', colors }))
  return sink.lines
}

describe('the readable form', () => {
  it('has local time, level, event and fields in columns', () => {
    const lines = linesOf((log) => {
      log.info('order_placed', { order_id: 'o-1', note: 'two words', lines: 2, items: [{ a: 1 }] })
      log.warn('x')
    })
    assert.deepEqual(lines, [
      '12:30:15.007 INFO  order_placed             order_id=o-1 note="two words" lines=2 items=[{"a":1}]\n',
      '12:30:15.007 WARN  x\n',
    ])
  })

  it('shows stacks below the line, causes further in', () => {
    const [text = ''] = linesOf((log) =>
      log.error('failed', { error: new Error('outer', { cause: new TypeError('inner') }) }),
    )
    const lines = text.split('\n')
    assert.match(lines[0] ?? '', /ERROR failed +error="Error: outer"$/)
    assert.equal(lines[1], '    Error: outer')
    assert.match(lines[2] ?? '', /^ {8}at /)
    assert.ok(lines.includes('    caused by:'))
    assert.ok(lines.includes('      TypeError: inner'))
  })

  it('colours only when told, and the text is the same without the colours', () => {
    const write = (log: ReturnType<typeof createLogger>) => log.error('failed', { a: 1 })
    const [colored = ''] = linesOf(write, true)
    assert.match(colored, /\p{Cc}\[31mERROR/u)
    assert.deepEqual([colored.replace(/\p{Cc}\[[\d;]+m/gu, '')], linesOf(write))
  })

  it('lets no control character of the input reach the terminal, whether a record or not', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, text, (name, value) => {
        const error = { type: value, message: value, stack: value, cause: { type: name, message: '', stack: value } }
        const record = JSON.stringify({ level: value, time: value, event: name, [name]: value, error })
        for (const line of [record, value, JSON.stringify(value)]) {
          const shown = formatReadable(line, { colors: false })
          assert.ok(shown.endsWith('\n'))
          assert.doesNotMatch(shown.replaceAll('\n', ''), harmful)
        }
      }),
    )
  })
})

describe('wantsColors()', () => {
  const rows: [boolean | undefined, Record<string, string>, boolean][] = [
    [true, {}, true],
    [true, { NO_COLOR: '' }, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '0' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, {}, false],
    [undefined, {}, false],
  ]
  for (const [isTTY, environment, expected] of rows) {
    it(`is ${expected} for a terminal ${isTTY} with ${JSON.stringify(environment)}`, () => {
      assert.equal(wantsColors(isTTY === undefined ? {} : { isTTY }, environment), expected)
    })
  }
})
