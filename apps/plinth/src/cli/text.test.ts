import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { clean, clip, duration, money, parseDuration, parseMoney, progressBar, table, widthOf } from './text.ts'

describe('text for people', () => {
  it('money() writes minor units by the digits of the currency', () => {
    const rows: [bigint, string, string][] = [
      [0n, 'USD', '0.00 USD'],
      [5n, 'USD', '0.05 USD'],
      [1099n, 'EUR', '10.99 EUR'],
      [123_456_789n, 'USD', '1,234,567.89 USD'],
      [-1050n, 'USD', '-10.50 USD'],
      [1500n, 'JPY', '1,500 JPY'],
      [1n, 'BHD', '0.001 BHD'],
      [9_223_372_036_854_775_807n, 'USD', '92,233,720,368,547,758.07 USD'],
      [7n, 'x\u001b', '0.07 x '],
    ]
    for (const [amountMinor, currency, expected] of rows) assert.equal(money({ amountMinor, currency }), expected)
    assert.equal(money(undefined), '-')
  })

  it('parseMoney() reads what money() writes, and refuses what is no price', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 15n - 1n), fc.constantFrom('USD', 'JPY', 'BHD'), (amountMinor, currency) => {
        const text = money({ amountMinor, currency }).split(' ')[0]?.replaceAll(',', '') ?? ''
        assert.equal(parseMoney(text, currency), amountMinor)
      }),
    )
    for (const text of ['', '-1', '1.234', '1,5', 'NaN', '1e3', ' 1', '1.', '.5', '9'.repeat(16)]) {
      assert.equal(parseMoney(text, 'USD'), undefined, text)
    }
    assert.equal(parseMoney('12', 'USD'), 1200n)
  })

  it('clean() leaves nothing that steers a terminal or breaks a line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(clean(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }),
    )
    assert.equal(clean('a\u001b[31mred\r\nb\u202ec'), 'a [31mred b c')
  })

  it('clip() never takes more columns than it may', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }).map(clean), fc.integer({ min: 1, max: 40 }), (text, width) => {
        assert.ok(widthOf(clip(text, width)) <= width)
      }),
    )
    assert.equal(clip('short', 10), 'short')
    assert.equal(clip('映画の題名', 5), '映画…')
  })

  it('table() aligns by what is seen, numbers to the right, and clips the last column', () => {
    const rows = [
      ['NAME', 'N', 'WHAT'],
      ['\u001b[1mab\u001b[0m', 7, 'x'],
      ['題', 12_345, 'a long text that does not fit'],
    ]
    assert.deepEqual(table(rows, { width: 27 }), [
      'NAME      N  WHAT',
      '\u001b[1mab\u001b[0m        7  x',
      '題    12345  a long text t…',
    ])
    assert.deepEqual(table([]), [])
  })

  it('duration() names the two largest units, parseDuration() reads what people write', () => {
    const rows: [number, string][] = [
      [0, '0 ms'],
      [850.4, '850 ms'],
      [5000, '5 s'],
      [125_000, '2 min 5 s'],
      [3_600_000, '1 h'],
      [273_600_000, '3 d 4 h'],
    ]
    for (const [ms, text] of rows) assert.equal(duration(ms), text)
    const spans: [string, number | undefined][] = [
      ['500ms', 500],
      ['30s', 30_000],
      ['1.5m', 90_000],
      ['1h', 3_600_000],
      ['7', 7000],
      ['', undefined],
      ['-1s', undefined],
      ['5 days', undefined],
    ]
    for (const [text, ms] of spans) assert.equal(parseDuration(text), ms, text)
  })

  it('progressBar() says how much is done and what is left to wait', () => {
    assert.equal(
      progressBar({ done: 500, total: 2000, tookMs: 1000 }),
      `[${'='.repeat(6)}${' '.repeat(18)}] 500 of 2,000  25 %  3 s left`,
    )
    assert.match(progressBar({ done: 0, total: 0, tookMs: 0 }), /100 %$/)
  })
})
