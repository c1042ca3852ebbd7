import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError, Secret } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import { createMemorySink } from '../testing.ts'
import { runInTrace } from '../traces/context.ts'
import { createLogger, type LoggerOptions } from './logger.ts'

function open(options: Partial<LoggerOptions> = {}) {
  const sink = createMemorySink()
  return { sink, log: createLogger({ sink, clock: createFakeClock(), level: 'trace', ...options }) }
}

/** The one record that `fields` make. */
function recordOf(fields: Record<string, unknown>, options?: Partial<LoggerOptions>) {
  const { sink, log } = open(options)
  log.info('tested', fields)
  assert.equal(sink.lines.length, 1)
  return sink.records[0] as Record<string, unknown>
}

// Line ends of any kind and whatever a terminal obeys.
const harmful = /[\p{Cc}\u2028-\u202e\u2066-\u2069\ufeff]/u

describe('createLogger()', () => {
  it('writes time, level and event first, fields after them, one line a record', () => {
    const { sink, log } = open()
    log.warn('stock_low', { sku: 'f-1', left: 2, rate: 0.5, open: true, note: null, gone: undefined })
    assert.deepEqual(sink.lines, [
      '{"time":"2026-01-01T00:00:00.000Z","level":"warn","event":"stock_low","sku":"f-1","left":2,"rate":0.5,"open":true,"note":null}\n',
    ])
  })

  it('dates records to the millisecond, across seconds and back', async () => {
    const clock = createFakeClock()
    const { sink, log } = open({ clock })
    for (const step of [7, 60, 933, -3_600_001]) {
      if (step > 0) await clock.advance(step)
      else clock.stepWall(step)
      log.info('x')
    }
    assert.deepEqual(
      sink.records.map(({ time }) => time),
      ['2026-01-01T00:00:00.007Z', '2026-01-01T00:00:00.067Z', '2026-01-01T00:00:01.000Z', '2025-12-31T23:00:00.999Z'],
    )
  })

  it('writes one JSON line without harmful characters, whatever it is given', () => {
    const { sink, log } = open()
    const text = fc.string({ unit: 'binary' })
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withObjectString: true,
      withSparseArray: true,
      withTypedArray: true,
      key: text,
    })
    fc.assert(
      fc.property(text, fc.dictionary(text, anything), fc.dictionary(text, anything), (event, bound, fields) => {
        sink.lines.length = 0
        log.with(bound).info(event, fields)
        const [line = '', ...more] = sink.lines
        assert.equal(more.length, 0)
        assert.ok(line.endsWith('}\n'))
        assert.doesNotMatch(line.slice(0, -1), harmful)
        assert.equal(JSON.parse(line).level, 'info')
      }),
      { numRuns: 200 },
    )
  })

  it('cannot be made to forge a record by names, values or events', () => {
    const forged = '"}\n{"level":"fatal","event":"forged"}\r\n\u2028\u001b[2K'
    const { sink, log } = open()
    log.with({ [forged]: forged }).info(forged, { [forged]: forged, error: new Error(forged) })
    assert.equal(sink.lines.length, 1)
    assert.equal(sink.lines[0]?.trimEnd().split(/\r|\n|\u2028/).length, 1)
    assert.equal(sink.records[0]?.level, 'info')
  })

  it('keeps its own names: a field of such a name gets an underscore, no name comes twice', () => {
    const { sink, log } = open()
    runInTrace({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1 }, () => {
      log.with({ level: 'x' }).info('e', { time: 1, event: 2, trace_id: 3, request_id: 4, inner: { time: 5 } })
    })
    const names = [...(sink.lines[0] as string).matchAll(/"([a-z_]+)":/g)].map(([, name]) => name)
    assert.equal(new Set(names).size, names.length - 1)
    assert.deepEqual(sink.records[0], {
      time: '2026-01-01T00:00:00.000Z',
      level: 'info',
      event: 'e',
      level_: 'x',
      time_: 1,
      event_: 2,
      trace_id_: 3,
      request_id_: 4,
      inner: { time: 5 },
      trace_id: 'a'.repeat(32),
      span_id: 'b'.repeat(16),
    })
  })

  it('does not throw for fields that cannot be read, nor for what is no event', () => {
    const { sink, log } = open()
    log.with(revokedProxy() as Record<string, unknown>).info('a')
    const failing = {
      get broken(): never {
        throw new Error('getter')
      },
    }
    log.with(failing).info('b', failing)
    const child = log.with({ kept: 1 })
    for (const fields of [revokedProxy(), null, 7]) child.info('c', fields as never)
    child.info(undefined as never)
    assert.deepEqual(
      sink.records.map(({ time: _time, level: _level, ...rest }) => rest),
      [
        { event: 'a', fields: '[unreadable]' },
        { event: 'b', fields: '[unreadable]', broken: '[unreadable]' },
        { event: 'c', kept: 1, fields: '[unreadable]' },
        { event: 'c', kept: 1, fields: '[unreadable]' },
        { event: 'c', kept: 1 },
        { event: 'undefined', kept: 1 },
      ],
    )
  })

  it('says how many lines its sink lost', () => {
    const sink = createMemorySink()
    let report: (lost: number) => void = () => assert.fail('no listener')
    createLogger({ sink: { ...sink, onLoss: (listener) => (report = listener) }, clock: createFakeClock() })
    report(3)
    assert.match(sink.lines[0] ?? '', /"level":"warn","event":"log_lines_dropped","dropped":3}/)
  })
})

describe('log.with()', () => {
  it('carries its fields, and those of its parents; the nearest of a name wins, written once', () => {
    const { sink, log } = open()
    const child = log.with({ service: 'orders', attempt: 1 }).with({ attempt: 2 })
    child.info('a')
    child.info('b', { attempt: 3, service: undefined })
    assert.match(sink.lines[0] ?? '', /"event":"a","service":"orders","attempt":2}\n$/)
    assert.match(sink.lines[1] ?? '', /"event":"b","service":"orders","attempt":3}\n$/)
  })

  it('writes its fields as they were when it was made', () => {
    const { sink, log } = open()
    const held = { n: 1 }
    const child = log.with({ held })
    held.n = 2
    child.info('x')
    assert.deepEqual(sink.records[0]?.held, { n: 1 })
  })
})

describe('values', () => {
  const cyclic: Record<string, unknown> = { name: 'a' }
  cyclic.self = cyclic
  const rows: [string, unknown, unknown][] = [
    ['NaN', Number.NaN, 'NaN'],
    ['Infinity', -Infinity, '-Infinity'],
    ['a bigint', 2n ** 70n, '1180591620717411303424'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a function', () => 1, '[function]'],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an invalid date', new Date(Number.NaN), '[invalid date]'],
    ['bytes', new Uint8Array(9), '[9 bytes]'],
    [
      'a map',
      new Map<unknown, unknown>([
        ['a', 1],
        [{}, 2],
      ]),
      { a: 1, '[object]': 2 },
    ],
    ['a set', new Set([1, 'b']), [1, 'b']],
    ['a cycle', cyclic, { name: 'a', self: '[circular]' }],
    ['the same object twice', [cyclic.name, [1], [1]], ['a', [1], [1]]],
    ['undefined in an array', [undefined, 1], [null, 1]],
    ['toJSON', { toJSON: () => ({ a: 1 }) }, { a: 1 }],
    ['a toJSON that fails', { toJSON: () => assert.fail('broken') }, '[unreadable]'],
    [
      'a getter that fails',
      Object.defineProperty({ b: 1 }, 'a', { enumerable: true, get: () => assert.fail('x') }),
      { b: 1, a: '[unreadable]' },
    ],
    ['a revoked proxy', revokedProxy(), '[unreadable]'],
    ['a Temporal instant', Temporal.Instant.fromEpochMilliseconds(0), '1970-01-01T00:00:00Z'],
    [
      'a message',
      { $typeName: 'plinth.identity.v1.LoginRequest', password: 'x' },
      '[message plinth.identity.v1.LoginRequest]',
    ],
    ['a secret', new Secret('hunter2'), '[secret]'],
    [
      'a URL with credentials',
      new URL('http://u:p@h/?access_token=x&a=1'),
      'http://%5Bredacted%5D:%5Bredacted%5D@h/?access_token=%5Bredacted%5D&a=1',
    ],
  ]
  for (const [name, value, expected] of rows) {
    it(`shows ${name}`, () => assert.deepEqual(recordOf({ value }).value, expected))
  }

  it('shows errors with type, facts, stack and the chain of causes', () => {
    const cause = new PlatformError('Cannot connect', { kind: 'unavailable', code: 'data.down', cause: 'odd' })
    const { error } = recordOf({ error: new TypeError('outer', { cause }) }) as { error: Record<string, unknown> }
    assert.equal(error.type, 'TypeError')
    assert.match(String(error.stack), /^TypeError: outer\n {4}at /)
    const inner = error.cause as Record<string, unknown>
    assert.deepEqual(
      [inner.type, inner.kind, inner.code, inner.cause],
      ['PlatformError', 'unavailable', 'data.down', 'odd'],
    )
  })

  it('shows the errors of an AggregateError and both of a SuppressedError', () => {
    const both = new SuppressedError(new Error('late'), new Error('early'))
    const record = recordOf({ all: new AggregateError([new Error('one')], 'many'), both })
    const text = JSON.stringify(record)
    for (const message of ['many', 'one', 'late', 'early']) assert.match(text, new RegExp(`"message":"${message}"`))
  })

  it('ends a chain of causes that is endless or circular', () => {
    const circular = new Error('c')
    circular.cause = circular
    let long = new Error('e0')
    for (let n = 1; n < 100; n++) long = new Error(`e${n}`, { cause: long })
    const text = JSON.stringify(recordOf({ circular, long }))
    assert.match(text, /\[circular\]/)
    assert.match(text, /e92.*\[more causes\]/)
    assert.doesNotMatch(text, /"e91"/)
  })
})

describe('bounds of a record', () => {
  it('cuts long strings with a marker, never within a character', () => {
    assert.equal(recordOf({ s: 'x'.repeat(20) }, { limits: { stringCharsMax: 10 } }).s, `${'x'.repeat(10)}[+10 chars]`)
    assert.equal(
      recordOf({ s: `${'x'.repeat(9)}😀y` }, { limits: { stringCharsMax: 10 } }).s,
      `${'x'.repeat(9)}[+3 chars]`,
    )
    assert.equal(recordOf({ s: 'x'.repeat(10) }, { limits: { stringCharsMax: 10 } }).s, 'x'.repeat(10))
  })

  it('stops at the depth, members and items allowed, and says what is missing', () => {
    const { value } = recordOf(
      { value: { a: { b: { c: 1 }, list: [1] }, many: [1, 2, 3, 4] } },
      { limits: { depthMax: 2, membersMax: 3 } },
    )
    assert.deepEqual(value, { a: { b: '[deep]', list: '[array of 1]' }, many: [1, 2, 3, '[1 more]'] })
    const wide = recordOf({ a: 1, b: 2, c: 3, d: 4, e: 5 }, { limits: { membersMax: 3 } })
    assert.deepEqual([wide.c, wide.d, wide['[more]']], [3, undefined, 2])
  })

  it('keeps a record within its size, for wide, deep and long input alike', () => {
    const wide = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`k${n}`, 'x'.repeat(8192)]))
    const deep = (levels: number): unknown => (levels === 0 ? {} : Array.from({ length: 40 }, () => deep(levels - 1)))
    for (const value of [wide, deep(3), 'y'.repeat(10_000_000), new Error('z'.repeat(1_000_000))]) {
      const { sink, log } = open()
      log.info('big', { value })
      assert.ok((sink.lines[0] as string).length < 120_000, `${sink.lines[0]?.length}`)
      assert.equal(sink.records.length, 1)
    }
  })

  it('gives the next record its whole budget again', () => {
    const { sink, log } = open()
    log.info('big', { value: 'x'.repeat(1_000_000), more: Array.from({ length: 64 }, () => 'x'.repeat(8192)) })
    log.info('small', { value: 'whole' })
    assert.equal(sink.records[1]?.value, 'whole')
  })
})

describe('redaction', () => {
  const hidden = 'hunter2'
  const names = [
    'authorization',
    'Proxy-Authorization',
    'cookie',
    'Set-Cookie',
    'password',
    'db_password',
    'x-csrf-token',
    'refreshToken',
    'api_key',
    'X-Api-Key',
    'clientSecret',
    'privateKey',
    'CVV',
    'credentials',
  ]
  for (const name of names) {
    it(`hides ${name} wherever it stands`, () => {
      const error = Object.assign(new Error('failed'), { [name]: hidden, config: { headers: { [name]: hidden } } })
      const { sink, log } = open()
      log.with({ [name]: hidden, ctx: { [name]: hidden } }).error('x', {
        [name]: hidden,
        deep: { list: [{ [name]: hidden }] },
        map: new Map([[name, hidden]]),
        headers: new Headers([
          ['accept', 'x'],
          [name.replace('_', '-'), hidden],
        ]),
        pairs: [[name, hidden]],
        raw: ['accept', 'x', name, hidden],
        json: { toJSON: () => ({ [name]: hidden }) },
        error,
        wrapped: new Error('outer', { cause: new AggregateError([error]) }),
        object: { [name]: { nested: hidden } },
      })
      assert.doesNotMatch(sink.lines[0] ?? '', /hunter2/)
    })
  }

  it('hides the names its caller adds, and shows others', () => {
    const record = recordOf({ tax_id: 'secret', monkey: 'shown', author: 'shown' }, { denied: ['tax_id'] })
    assert.deepEqual([record.tax_id, record.monkey, record.author], ['[redacted]', 'shown', 'shown'])
  })

  it('hides secrets and denied names in anything generated', () => {
    const leaf = fc.oneof(fc.constant(new Secret(hidden)), fc.record({ password: fc.constant(hidden) }), fc.integer())
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        leaf,
        fc.array(tie('tree')),
        fc.dictionary(fc.string(), tie('tree')),
        tie('tree').map((cause) => new Error('e', { cause })),
        tie('tree').map((held) => new Map([['k', held]])),
        tie('tree').map((held) => Object.assign(new Error('e'), { held })),
      ),
    }))
    const { sink, log } = open()
    fc.assert(
      fc.property(tree, (value) => {
        sink.lines.length = 0
        log.info('x', { value })
        assert.doesNotMatch(sink.lines[0] ?? '', /hunter2/)
      }),
    )
  })
})

describe('trace correlation', () => {
  it('adds trace, span and request of the context, through awaits, and nothing outside', async () => {
    const { sink, log } = open()
    const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 0, requestId: 'r-"1"' }
    await runInTrace(context, async () => {
      await undefined
      log.info('in')
      log.info('again')
    })
    log.info('out')
    const [first, second, third] = sink.records
    assert.deepEqual([first?.trace_id, first?.span_id, first?.request_id], ['a'.repeat(32), 'b'.repeat(16), 'r-"1"'])
    assert.equal(second?.request_id, 'r-"1"')
    assert.equal('trace_id' in (third ?? {}), false)
  })
})

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
