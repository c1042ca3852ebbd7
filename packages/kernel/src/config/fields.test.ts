import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '@plinth/base'
import fc from 'fast-check'
import type { ConfigField } from './field.ts'
import { boolean, choice, integer, list, number, secret, string } from './fields.ts'
import { bytes, durationMs } from './measured-fields.ts'
import { formatBytes, formatDuration, parseBytes, parseDuration } from './units.ts'

const about = { describe: 'x' }
const fields: Readonly<Record<string, ConfigField<unknown>>> = {
  string: string({ ...about, charsMin: 2, charsMax: 4, pattern: /^[a-z]*$/ }),
  integer: integer({ ...about, min: 1, max: 10 }),
  number: number({ ...about, min: 0.5 }),
  boolean: boolean(about),
  choice: choice({ ...about, of: ['red', 'blue'] }),
  list: list({ ...about, itemsMin: 1, itemsMax: 2, pattern: /^\w+$/ }),
  duration: durationMs({ ...about, min: '1s', max: '1h' }),
  bytes: bytes({ ...about, min: '1KiB', max: '1MiB' }),
  secret: secret({ ...about, charsMin: 3 }),
}

const accepted: readonly (readonly [keyof typeof fields, unknown, unknown])[] = [
  ['string', 'abc', 'abc'],
  ['integer', 10, 10],
  ['number', 0.5, 0.5],
  ['boolean', false, false],
  ['choice', 'red', 'red'],
  ['list', ['a', 'b'], ['a', 'b']],
  ['duration', '1m30s', 90_000],
  ['duration', 1000, 1000],
  ['bytes', '64KiB', 65_536],
  ['bytes', '1MB', 1_000_000],
]

const refused: readonly (readonly [keyof typeof fields, unknown, RegExp])[] = [
  ['string', 'abcde', /must have 2 to 4 characters, has 5/],
  ['string', 'AB', /must match/],
  ['string', 5, /must be text, received 5/],
  ['integer', 11, /must be 1 to 10, received 11/],
  ['integer', 1.5, /must be a whole number, received 1\.5/],
  ['integer', '5', /must be a whole number, received "5"/],
  ['integer', 2 ** 53, /must be a whole number/],
  ['number', Number.NaN, /must be a number, received null/],
  ['boolean', 'true', /must be true or false, received "true"/],
  ['choice', 'green', /must be one of red, blue, received "green"/],
  ['list', [], /must have 1 to 2 items, has 0/],
  ['list', ['a', 'b-'], /item 1 must match/],
  ['list', 'a', /must be a list/],
  ['duration', '2h', /must be 1s to 1h, received 2h/],
  ['duration', '1 hour', /must be a duration like 30s or 15m, received "1 hour"/],
  ['duration', -5, /must be a duration/],
  ['bytes', '2GiB', /must be 1KiB to 1MiB, received 2GiB/],
  ['bytes', '10kb', /must be a size like/],
  ['secret', 'inline', /must be a reference to a secret/],
  ['secret', new Secret('ab'), /must have 3 to 65536 characters, has 2/],
  ['integer', new Secret('ab'), /received a secret/],
]

describe('config fields', () => {
  for (const [kind, raw, value] of accepted) {
    it(`${kind}() accepts ${JSON.stringify(raw)}`, () => {
      assert.deepEqual(fields[kind]?.parse(raw), { value })
    })
  }
  for (const [kind, raw, problem] of refused) {
    it(`${kind}() refuses ${JSON.stringify(raw)} with the reason`, () => {
      const parsed = fields[kind]?.parse(raw)
      assert.ok(parsed && 'problem' in parsed)
      assert.match(parsed.problem, problem)
    })
  }

  it('parseText() reads the words of variables and flags', () => {
    assert.deepEqual(fields.integer?.parseText(' 7 '), { value: 7 })
    assert.deepEqual(fields.number?.parseText('1e2'), { value: 100 })
    assert.deepEqual(fields.boolean?.parseText('off'), { value: false })
    assert.deepEqual(fields.list?.parseText('a, b'), { value: ['a', 'b'] })
    assert.deepEqual(fields.list?.parseText('["a"]'), { value: ['a'] })
    assert.ok('problem' in (fields.integer?.parseText('0x5') ?? {}))
    assert.ok('problem' in (fields.list?.parseText('[a') ?? {}))
  })

  it('durationMs() refuses a default outside its own bounds where it is defined', () => {
    assert.throws(() => durationMs({ ...about, default: '2d', max: '1d' }), {
      name: 'RangeError',
      message: /its default must be 0s to 1d/,
    })
    assert.throws(() => durationMs({ ...about, max: '1x' as '1s' }), RangeError)
  })

  it('parse() of every field answers anything at all without throwing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(fields)),
        fc.anything({ withBigInt: false, withDate: true }),
        fc.string(),
        (field, raw, text) => {
          for (const parsed of [field.parse(raw), field.parseText(text)])
            assert.ok('value' in parsed || parsed.problem.length > 0)
        },
      ),
    )
  })

  it('parseDuration() and parseBytes() read what formatDuration() and formatBytes() write', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        assert.equal(parseDuration(formatDuration(value)), value)
        assert.equal(parseBytes(formatBytes(value)), value)
      }),
    )
  })
})
