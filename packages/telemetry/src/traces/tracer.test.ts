import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSeededRandom, PlatformError, sleep } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { currentTrace } from './context.ts'
import type { FinishedSpan, Span } from './span.ts'
import { createTracer, type TracerDeps, type TracerOptions } from './tracer.ts'

function open(options: TracerOptions = {}, deps: Partial<TracerDeps> = {}) {
  const clock = createFakeClock()
  return { clock, tracer: createTracer({ clock, random: createSeededRandom(1), ...deps }, options) }
}

const broken = new PlatformError('Cannot reach the store', { kind: 'unavailable', code: 'data.down' })
const fail = () => {
  throw broken
}
const unsampled = { sampling: { ratio: 0 } }
const remote = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, traceState: 'v=1', requestId: 'r-1' }
const names = (spans: readonly FinishedSpan[]) => spans.map(({ name }) => name)

describe('tracer.span()', () => {
  it('records name, kind, time, attributes and links, and ends when its work has settled', async () => {
    const { clock, tracer } = open()
    const link = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) }
    const work = tracer.span(
      'place',
      { kind: 'server', attributes: { a: 1, b: undefined }, links: [link] },
      async (span) => {
        await sleep(clock, 25)
        span.set('c', 'x')
        return 'placed'
      },
    )
    await clock.advance(25)
    assert.equal(await work, 'placed')
    const [span] = tracer.recent()
    assert.match(span?.traceId ?? '', /^[0-9a-f]{32}$/)
    assert.match(span?.spanId ?? '', /^[0-9a-f]{16}$/)
    assert.deepEqual(
      { ...span, traceId: '', spanId: '', attributes: [...(span?.attributes ?? [])] },
      {
        traceId: '',
        spanId: '',
        parentSpanId: undefined,
        traceState: undefined,
        requestId: undefined,
        name: 'place',
        kind: 'server',
        startMs: Date.UTC(2026, 0, 1),
        durationMs: 25,
        status: 'unset',
        statusMessage: undefined,
        attributes: [
          ['a', 1],
          ['c', 'x'],
        ],
        links: [link],
        droppedFacts: 0,
      },
    )
  })

  it('gives synchronous results and throws at once', () => {
    const { tracer } = open()
    assert.equal(
      tracer.span('x', {}, () => 7),
      7,
    )
    assert.throws(() => tracer.span('y', {}, fail), broken)
    assert.deepEqual(
      tracer.recent().map(({ name, status }) => [name, status]),
      [
        ['y', 'error'],
        ['x', 'unset'],
      ],
    )
  })

  it('nests by the context, through awaits, and side by side', async () => {
    const { tracer } = open()
    await tracer.span('root', { requestId: 'r-9' }, async () => {
      await Promise.all(
        ['left', 'right'].map((name) =>
          tracer.span(name, {}, async () => {
            await undefined
            tracer.span(`${name} leaf`, {}, () => {})
          }),
        ),
      )
    })
    assert.equal(currentTrace(), undefined)
    const spans = new Map(tracer.recent().map((span) => [span.name, span]))
    const parentOf = (name: string) =>
      [...spans.values()].find(({ spanId }) => spanId === spans.get(name)?.parentSpanId)?.name
    assert.deepEqual(['root', 'left', 'right', 'left leaf', 'right leaf'].map(parentOf), [
      undefined,
      'root',
      'root',
      'left',
      'right',
    ])
    assert.equal(new Set([...spans.values()].map(({ traceId }) => traceId)).size, 1)
    assert.ok([...spans.values()].every(({ requestId }) => requestId === 'r-9'))
    assert.equal(new Set([...spans.values()].map(({ spanId }) => spanId)).size, 5)
  })

  it('begins a trace of its own with parent null, and goes on with the one it is given', () => {
    const { tracer } = open()
    tracer.span('outer', {}, () => {
      tracer.span('alone', { parent: null }, () => {})
      tracer.span('remote', { parent: remote }, () => {
        const headers = new Map<string, string>()
        tracer.inject(headers)
        assert.equal(headers.get('traceparent'), `00-${remote.traceId}-${currentTrace()?.spanId}-01`)
        assert.deepEqual([headers.get('tracestate'), headers.get('x-request-id')], ['v=1', 'r-1'])
      })
    })
    const [outer, remoteSpan, alone] = tracer.recent()
    assert.equal(alone?.parentSpanId, undefined)
    assert.notEqual(alone?.traceId, outer?.traceId)
    assert.deepEqual([remoteSpan?.traceId, remoteSpan?.parentSpanId], [remote.traceId, remote.spanId])
  })

  it('inject() writes nothing outside a trace', () => {
    const headers = new Map<string, string>()
    open().tracer.inject(headers)
    assert.equal(headers.size, 0)
  })

  it('dates the spans of a trace by one reading, whatever the wall clock does', async () => {
    const { clock, tracer } = open()
    const work = tracer.span('root', {}, async () => {
      await sleep(clock, 10)
      clock.stepWall(-3_600_000)
      tracer.span('child', {}, () => {})
    })
    await clock.advance(10)
    await work
    const [root, child] = tracer.recent()
    assert.equal((child?.startMs ?? 0) - (root?.startMs ?? 0), 10)
  })

  it('keeps to its bounds on attributes, links, names and values, and counts what it drops', () => {
    const { tracer } = open()
    tracer.span('n'.repeat(200), {}, (span) => {
      for (let n = 0; n < 40; n++) span.set(`k${n}`, 'v'.repeat(2000))
      span.set('k0', 'again')
      for (let n = 0; n < 40; n++) span.link({ traceId: remote.traceId, spanId: remote.spanId })
    })
    const [span] = tracer.recent()
    assert.deepEqual(
      [span?.name.length, span?.attributes.size, span?.links.length, span?.droppedFacts],
      [128, 32, 32, 16],
    )
    assert.deepEqual([span?.attributes.get('k0'), String(span?.attributes.get('k1')).length], ['again', 1024])
  })
})

describe('status', () => {
  const rows: [string, unknown, string, string][] = [
    ['a fault of ours', broken, 'error', 'data.down'],
    ['a bug', new TypeError('x is not a function'), 'error', 'TypeError'],
    ['what is no error', 'odd', 'error', 'base.internal'],
    ['a refusal', new PlatformError('x', { kind: 'not_found', code: 'orders.unknown' }), 'unset', 'orders.unknown'],
    ['a cancellation', AbortSignal.abort().reason, 'unset', 'base.cancelled'],
  ]
  for (const [what, error, status, type] of rows) {
    it(`of ${what} is ${status}`, async () => {
      const { tracer } = open()
      await tracer.span('x', {}, () => Promise.reject(error)).catch(() => {})
      const [span] = tracer.recent()
      assert.deepEqual([span?.status, span?.attributes.get('error.type')], [status, type])
    })
  }
})

describe('sampling', () => {
  it('follows the caller, whatever the ratio', () => {
    const never = open({ sampling: { ratio: 0, keepFailed: false } }).tracer
    never.span('x', { parent: remote }, () => {})
    assert.equal(never.recent().length, 1)
    const always = open({ sampling: { keepFailed: false } }).tracer
    always.span('x', { parent: { ...remote, flags: 0 } }, () => {
      assert.deepEqual([currentTrace()?.flags, currentTrace()?.spanId], [0, remote.spanId])
    })
    assert.equal(always.recent().length, 0)
  })

  it('takes its share of the traces begun here, the same ones in every service', () => {
    const { tracer } = open({ sampling: { ratio: 0.25, keepFailed: false }, recentMax: 20_000 })
    for (let n = 0; n < 10_000; n++) {
      tracer.span('root', {}, () => {
        const { traceId = '', flags } = currentTrace() ?? {}
        assert.equal(flags === 1, Number.parseInt(traceId.slice(-8), 16) < 0.25 * 2 ** 32)
      })
    }
    const { kept } = tracer.counts
    assert.ok(kept > 2200 && kept < 2800, `${kept} of 10,000`)
  })

  it('keeps a trace that is not sampled when a span in it fails, whole; and no other', () => {
    const { tracer } = open(unsampled)
    const trace = (work: () => void) =>
      tracer.span('root', {}, () => {
        tracer.span('first', {}, () => {})
        tracer.span('second', {}, work)
      })
    trace(() => {})
    assert.deepEqual([tracer.recent(), tracer.counts], [[], { kept: 0, discarded: 3, dropped: 0 }])
    assert.throws(() => trace(fail), broken)
    assert.deepEqual(names(tracer.recent()), ['root', 'second', 'first'])
    assert.equal(new Set(tracer.recent().map(({ traceId }) => traceId)).size, 1)
  })

  it('keeps no trace for what its caller did wrong', () => {
    const { tracer } = open(unsampled)
    const invalid = new PlatformError('x', { kind: 'invalid', code: 'a.b' })
    assert.throws(
      () =>
        tracer.span('root', {}, () => {
          throw invalid
        }),
      invalid,
    )
    assert.equal(tracer.recent().length, 0)
  })

  it('judges spans that end after their trace by the decision made', async () => {
    const { clock, tracer } = open(unsampled)
    let late: Promise<void> | undefined
    const trace = (work: () => void) =>
      tracer.span('root', {}, () => {
        late = tracer.span('late', {}, () => sleep(clock, 5))
        work()
      })
    trace(() => {})
    await clock.advance(5)
    await late
    assert.deepEqual(names(tracer.recent()), [])
    assert.throws(() => trace(fail))
    await clock.advance(5)
    await late
    assert.deepEqual(names(tracer.recent()), ['late', 'root'])
  })

  it('lets no more spans wait for a decision than it may', () => {
    const { tracer } = open({ ...unsampled, pendingMax: 3 })
    const grow = (work: () => void) =>
      tracer.span('root', {}, () => {
        for (let n = 0; n < 5; n++) tracer.span(`child ${n}`, {}, () => {})
        work()
      })
    assert.throws(() => grow(fail))
    assert.deepEqual(names(tracer.recent()), ['root', 'child 2', 'child 1', 'child 0'])
    assert.equal(tracer.counts.dropped, 2)
    grow(() => {})
    assert.throws(() => grow(fail))
    assert.equal(tracer.counts.kept, 8)
  })

  it('runs work without recording where nothing may be kept, in a context of its own', () => {
    const { tracer } = open({ sampling: { ratio: 0, keepFailed: false } })
    tracer.span('root', { requestId: 'r-1' }, (span) => {
      assert.equal(span.isRecording, false)
      const root = currentTrace()
      assert.match(root?.traceId ?? '', /^[0-9a-f]{32}$/)
      assert.deepEqual([root?.flags, root?.requestId, root?.spanId.length], [0, 'r-1', 16])
      tracer.span('child', {}, () => assert.equal(currentTrace(), root))
      assert.throws(() => tracer.span('bad', {}, fail), broken)
    })
    assert.deepEqual(tracer.counts, { kept: 0, discarded: 0, dropped: 0 })
  })
})

describe('tracer.start()', () => {
  it('is a span that its caller ends, once, and others run inside', () => {
    const { tracer } = open()
    const stream = tracer.start('stream', { kind: 'server' })
    stream.run(() => tracer.span('message', {}, () => {}))
    stream.set('messages', 1)
    assert.equal(currentTrace(), undefined)
    stream.end(broken)
    stream.end()
    const [outer, inner] = tracer.recent()
    assert.deepEqual([outer?.status, outer?.attributes.get('messages')], ['error', 1])
    assert.equal(inner?.parentSpanId, stream.context.spanId)
    assert.equal(tracer.counts.kept, 2)
  })

  it('does nothing where nothing is recorded', () => {
    const { tracer } = open({ sampling: { ratio: 0, keepFailed: false } })
    const span: Span & { end(): void } = tracer.start('x', {})
    span.set('a', 1)
    span.end()
    assert.equal(tracer.counts.kept, 0)
  })
})

describe('tracer.recent()', () => {
  it('holds the latest spans, newest first, by trace if asked', () => {
    const { tracer } = open({ recentMax: 3 })
    for (let n = 0; n < 5; n++) tracer.span(`s${n}`, {}, () => {})
    assert.deepEqual(names(tracer.recent()), ['s4', 's3', 's2'])
    assert.deepEqual(names(tracer.recent({ limit: 1 })), ['s4'])
    const [, middle] = tracer.recent()
    assert.deepEqual(names(tracer.recent({ traceId: middle?.traceId ?? '' })), ['s3'])
    assert.deepEqual(tracer.recent({ traceId: 'unknown' }), [])
  })
})

describe('export', () => {
  it('gathers spans for a while, sends them in batches one at a time, and the rest at the end', async () => {
    const batches: string[][] = []
    const { clock, tracer } = open({}, {})
    const exporting = createTracer({
      clock,
      random: createSeededRandom(1),
      export: (spans) => void batches.push(names(spans)),
    })
    exporting.span('a', {}, () => {})
    exporting.span('b', {}, () => {})
    await clock.advance(999)
    assert.equal(batches.length, 0)
    await clock.advance(1)
    assert.deepEqual(batches, [['a', 'b']])
    for (let n = 0; n < 1100; n++) exporting.span(`n${n}`, {}, () => {})
    await exporting[Symbol.asyncDispose]()
    assert.deepEqual(
      batches.map(({ length }) => length),
      [2, 512, 512, 76],
    )
    assert.equal(clock.pendingTimers, 0)
    await tracer.flush()
  })

  it('keeps a bounded queue behind an exporter that stalls, and counts what it drops', async () => {
    const gate = Promise.withResolvers<void>()
    let exported = 0
    const { tracer } = open(
      { exportQueueMax: 1000 },
      {
        export: async (spans) => {
          await gate.promise
          exported += spans.length
        },
      },
    )
    for (let n = 0; n < 50_000; n++) tracer.span('x', {}, () => {})
    gate.resolve()
    await tracer.flush()
    assert.equal(exported + tracer.counts.dropped, 50_000)
    assert.ok(exported >= 1000 && exported <= 2 * 1000 + 512, `${exported} exported`)
  })

  it('counts the batch that an exporter refuses, and goes on', async () => {
    let calls = 0
    const { tracer } = open(
      {},
      { export: () => (++calls === 1 ? Promise.reject(new Error('collector down')) : undefined) },
    )
    tracer.span('a', {}, () => {})
    await tracer.flush()
    tracer.span('b', {}, () => {})
    await tracer.flush()
    assert.deepEqual([calls, tracer.counts.dropped, tracer.counts.kept], [2, 1, 2])
  })
})

describe('createTracer()', () => {
  it('refuses options out of bounds, all of them at once', () => {
    const options = {
      sampling: { ratio: 1.1 },
      recentMax: 0,
      pendingMax: 1.5,
      exportQueueMax: -1,
      exportDelayMs: Number.NaN,
    }
    assert.throws(
      () => open(options),
      (error: Error) => {
        assert.ok(error instanceof RangeError)
        for (const name of ['ratio', 'recentMax', 'pendingMax', 'exportQueueMax', 'exportDelayMs'])
          assert.match(error.message, new RegExp(name))
        return true
      },
    )
  })
})
