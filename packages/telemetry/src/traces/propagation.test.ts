import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { extractTrace, injectTrace } from './propagation.ts'
import { formatTraceparent, parseTraceparent } from './traceparent.ts'
import { formatTracestate, parseTracestate } from './tracestate.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

const hexOf = (length: number) =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
    .filter((id) => /[1-9a-f]/.test(id))

describe('parseTraceparent()', () => {
  const rows: [string, number | undefined][] = [
    [`00-${traceId}-${spanId}-01`, 1],
    [`00-${traceId}-${spanId}-00`, 0],
    [`00-${traceId}-${spanId}-03`, 1],
    [`00-${traceId}-${spanId}-fe`, 0],
    [`cc-${traceId}-${spanId}-01`, 1],
    [`cc-${traceId}-${spanId}-01-what-comes-later`, 1],
    [`cc-${traceId}-${spanId}-01.what`, undefined],
    [`00-${traceId}-${spanId}-01-`, undefined],
    [`00-${traceId}-${spanId}-01-x`, undefined],
    [`ff-${traceId}-${spanId}-01`, undefined],
    [`00-${'0'.repeat(32)}-${spanId}-01`, undefined],
    [`00-${traceId}-${'0'.repeat(16)}-01`, undefined],
    [`00-${traceId.toUpperCase()}-${spanId}-01`, undefined],
    [`00-${traceId}-${spanId}-0`, undefined],
    [`00-${traceId}-${spanId}-001`, undefined],
    [`00-${traceId}-${spanId}-0g`, undefined],
    [`00_${traceId}-${spanId}-01`, undefined],
    [` 00-${traceId}-${spanId}-01`, undefined],
    [`00-${traceId}-${spanId}-01\n`, undefined],
    [`cc-${traceId}-${spanId}-01-${'x'.repeat(1000)}`, undefined],
    ['', undefined],
  ]
  for (const [header, flags] of rows) {
    it(`reads ${JSON.stringify(header.slice(0, 80))} as ${flags === undefined ? 'nothing' : `flags ${flags}`}`, () => {
      assert.deepEqual(parseTraceparent(header), flags === undefined ? undefined : { traceId, spanId, flags })
    })
  }

  it('reads back what formatTraceparent() wrote', () => {
    fc.assert(
      fc.property(hexOf(32), hexOf(16), fc.nat(255), (trace, span, flags) => {
        const header = formatTraceparent({ traceId: trace, spanId: span, flags })
        assert.equal(header.length, 55)
        assert.deepEqual(parseTraceparent(header), { traceId: trace, spanId: span, flags: flags & 1 })
      }),
    )
  })

  it('takes nothing that one changed character makes invalid, and never throws', () => {
    const valid = `00-${traceId}-${spanId}-01`
    fc.assert(
      fc.property(
        fc.nat(54),
        fc.constantFrom('', '0', '00', 'a', 'g', 'A', 'F', '-', '--', ' ', '\n', '\0', 'é', '٣', '０'),
        (at, piece) => {
          const header = valid.slice(0, at) + piece + valid.slice(at + 1)
          const parsed = parseTraceparent(header)
          if (parsed)
            assert.match(header, /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/)
        },
      ),
    )
  })
})

describe('parseTracestate()', () => {
  const long = 'k'.repeat(256)
  const rows: [string, [string, string][] | undefined][] = [
    ['', []],
    ['a=1', [['a', '1']]],
    [
      'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
      [
        ['rojo', '00f067aa0ba902b7'],
        ['congo', 't61rcWkgMzE'],
      ],
    ],
    [
      ' a=1 \t,, \t b=2,',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['0tenant@vendor=1', [['0tenant@vendor', '1']]],
    ['a-_*/9=x y!~', [['a-_*/9', 'x y!~']]],
    [`${long}=1`, [[long, '1']]],
    [`${long}k=1`, undefined],
    [`a=${'v'.repeat(256)}`, [['a', 'v'.repeat(256)]]],
    [`a=${'v'.repeat(257)}`, undefined],
    ['a=1,a=2', undefined],
    ['A=1', undefined],
    ['0a=1', undefined],
    ['a@0v=1', undefined],
    ['a@b@c=1', undefined],
    ['a=', undefined],
    ['=1', undefined],
    ['a', undefined],
    ['a=b=c', undefined],
    ['a b=1', undefined],
    ['a=ü', undefined],
    ['a=1\n', undefined],
    [Array.from({ length: 32 }, (_, n) => `k${n}=1`).join(), Array.from({ length: 32 }, (_, n) => [`k${n}`, '1'])],
    [Array.from({ length: 33 }, (_, n) => `k${n}=1`).join(), undefined],
    ['a=1,'.repeat(10_000), undefined],
  ]
  for (const [at, [header, expected]] of rows.entries()) {
    it(`row ${at}: ${JSON.stringify(header.slice(0, 40))}`, () => assert.deepEqual(parseTracestate(header), expected))
  }

  it('reads back what formatTracestate() wrote, within 512 characters, and takes any text without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab1@=, *~\t') }), (header) => {
        const entries = parseTracestate(header)
        if (entries) assert.deepEqual(parseTracestate(formatTracestate(entries)), entries)
      }),
      { numRuns: 1000 },
    )
    fc.assert(fc.property(fc.string(), (header) => void parseTracestate(header)))
  })

  it('is shortened by its long members first, then from its end', () => {
    const entries = [...'abcdefgh'].map((key) => [key, key.repeat(98)] as const)
    const big = ['big', 'x'.repeat(200)] as const
    const kept = parseTracestate(formatTracestate([big, ...entries]))
    assert.deepEqual(kept, entries.slice(0, 5))
    assert.deepEqual(parseTracestate(formatTracestate([big])), [big])
  })
})

describe('extractTrace() and injectTrace()', () => {
  it('pass a context on unchanged', () => {
    const context = { traceId, spanId, flags: 1, traceState: 'a=1', requestId: 'r-1' }
    const headers = new Map<string, string>()
    injectTrace(context, headers)
    assert.deepEqual(extractTrace(headers), context)
    assert.deepEqual(extractTrace(new Headers([...headers])), context)
  })

  it('find nothing without a valid traceparent, and keep it beside a broken tracestate', () => {
    assert.equal(extractTrace(new Map([['tracestate', 'a=1']])), undefined)
    const headers = new Map([
      ['traceparent', `00-${traceId}-${spanId}-01`],
      ['tracestate', 'broken,,='],
    ])
    assert.deepEqual(extractTrace(headers), { traceId, spanId, flags: 1, traceState: undefined, requestId: undefined })
  })

  for (const requestId of ['', 'a b', 'x\ny', 'x'.repeat(129), 'ü', '"']) {
    it(`take no request id ${JSON.stringify(requestId.slice(0, 9))}`, () => {
      const headers = new Map([
        ['traceparent', `00-${traceId}-${spanId}-01`],
        ['x-request-id', requestId],
      ])
      assert.equal(extractTrace(headers)?.requestId, undefined)
    })
  }
})
