import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseExposition } from '../testing.ts'
import { createMetrics, type Metrics } from './registry.ts'

/** The samples of one family as `name{values} -> value`. */
function read(metrics: Metrics, family: string): Record<string, number> {
  const samples = parseExposition(metrics.expose().body).get(family)?.samples ?? []
  return Object.fromEntries(samples.map(({ labels, value }) => [[...labels.values()].join('|'), value]))
}

describe('counters', () => {
  it('grow, by what is a number >= 0 only; the rest is counted as rejected', () => {
    const metrics = createMetrics()
    const counter = metrics.counter({ name: 'a_total', help: 'A' })
    counter.inc()
    counter.inc(2.5)
    for (const by of [-1, Number.NaN, Infinity]) counter.inc(by)
    assert.deepEqual(read(metrics, 'a_total'), { '': 3.5 })
    assert.deepEqual(read(metrics, 'plinth_metrics_rejected_total'), { a_total: 3 })
  })
})

describe('gauges', () => {
  it('go up and down', () => {
    const metrics = createMetrics()
    const gauge = metrics.gauge({ name: 'g', help: 'G' })
    gauge.set(5)
    gauge.inc()
    gauge.inc(2)
    gauge.dec()
    gauge.dec(10)
    assert.deepEqual(read(metrics, 'g'), { '': -3 })
  })
})

describe('histograms', () => {
  it('reject NaN and take the infinities', () => {
    const metrics = createMetrics()
    const histogram = metrics.histogram({ name: 'h', help: 'H', buckets: [1] })
    for (const value of [Number.NaN, -Infinity, Infinity]) histogram.observe(value)
    assert.match(metrics.expose().body, /h_bucket\{le="1"} 1\nh_bucket\{le="\+Inf"} 2\nh_sum NaN\nh_count 2\n/)
    assert.deepEqual(read(metrics, 'plinth_metrics_rejected_total'), { h: 1 })
  })

  for (const buckets of [[], [1, 1], [2, 1], [Number.NaN], [Infinity], Array.from({ length: 65 }, (_, at) => at)]) {
    it(`refuse the buckets ${String(buckets).slice(0, 20)}`, () => {
      assert.throws(() => createMetrics().histogram({ name: 'h', help: 'H', buckets }), TypeError)
    })
  }
})

describe('labels', () => {
  it('find the same cell for the same values, and tell apart what joins alike', () => {
    const metrics = createMetrics()
    const family = metrics.counter({ name: 'a_total', help: 'A', labels: ['x', 'y'] })
    assert.equal(family.labels({ x: 'a', y: 'b' }), family.labels({ y: 'b', x: 'a' }))
    const cells = [
      ['a,b', ''],
      ['a', ',b'],
      ['', 'a,b'],
      ['__proto__', 'constructor'],
    ]
    for (const [x = '', y = ''] of cells) family.labels({ x, y }).inc()
    assert.equal(Object.values(read(metrics, 'a_total')).filter((value) => value === 1).length, cells.length)
  })

  it('must all have a value', () => {
    const family = createMetrics().gauge({ name: 'g', help: 'G', labels: ['x', 'y'] })
    assert.throws(() => family.labels({ x: '1' } as never), TypeError)
    assert.throws(() => family.labels({ x: '1', y: 2 } as never), TypeError)
  })

  it('are cut at 256 characters', () => {
    const metrics = createMetrics()
    const family = metrics.gauge({ name: 'g', help: 'G', labels: ['x'] })
    family.labels({ x: 'y'.repeat(300) }).set(1)
    assert.equal(family.labels({ x: 'y'.repeat(256) }), family.labels({ x: 'y'.repeat(999) }))
  })

  it('past the bound on cells share one that reads overflow, and the look-ups are counted', () => {
    const metrics = createMetrics()
    const family = metrics.counter({ name: 'a_total', help: 'A', labels: ['user', 'route'], cellsMax: 2 })
    for (let user = 0; user < 100_000; user++) family.labels({ user: `${user}`, route: '/' }).inc()
    family.labels({ user: 'overflow', route: 'overflow' }).inc()
    family.labels({ user: '1', route: '/' }).inc()
    assert.deepEqual(read(metrics, 'a_total'), { '0|/': 1, '1|/': 2, 'overflow|overflow': 99_999 })
    assert.deepEqual(read(metrics, 'plinth_metrics_overflow_total'), { a_total: 99_999 })
  })
})

describe('definitions', () => {
  it('of the same shape give the same metric; of another shape are refused', () => {
    const metrics = createMetrics()
    const options = { name: 'a_total', help: 'A', labels: ['x'] } as const
    assert.equal(metrics.counter(options), metrics.counter({ ...options, help: 'other words' }))
    assert.throws(() => metrics.counter({ name: 'a_total', help: 'A', labels: ['y'] }), TypeError)
    assert.throws(() => metrics.counter({ name: 'a_total', help: 'A' }), TypeError)
    const histogram = metrics.histogram({ name: 'h', help: 'H', buckets: [1] })
    assert.equal(metrics.histogram({ name: 'h', help: 'H', buckets: [1] }), histogram)
    assert.throws(() => metrics.histogram({ name: 'h', help: 'H', buckets: [2] }), TypeError)
  })

  it('of a and a_total side by side are refused: OpenMetrics has one name for both', () => {
    const metrics = createMetrics()
    metrics.gauge({ name: 'a', help: 'A' })
    assert.throws(() => metrics.counter({ name: 'a_total', help: 'A' }), TypeError)
    metrics.counter({ name: 'b_total', help: 'B' })
    assert.throws(() => metrics.observed({ name: 'b', help: 'B', type: 'gauge', collect: () => {} }), TypeError)
  })

  const refused: [string, (metrics: Metrics) => unknown][] = [
    ['a name with a hyphen', (m) => m.gauge({ name: 'a-b', help: 'A' })],
    ['a name in capitals', (m) => m.gauge({ name: 'A', help: 'A' })],
    ['an empty name', (m) => m.gauge({ name: '', help: 'A' })],
    ['a name that begins with a digit', (m) => m.gauge({ name: '1a', help: 'A' })],
    ['a name with a line end', (m) => m.gauge({ name: 'a\n', help: 'A' })],
    ['a counter without _total', (m) => m.counter({ name: 'a', help: 'A' })],
    ['a gauge with _total', (m) => m.gauge({ name: 'a_total', help: 'A' })],
    ['a name the exposition needs', (m) => m.gauge({ name: 'a_bucket', help: 'A' })],
    ['an empty help', (m) => m.gauge({ name: 'a', help: ' ' })],
    ['the label le', (m) => m.gauge({ name: 'a', help: 'A', labels: ['le'] })],
    ['a reserved label', (m) => m.gauge({ name: 'a', help: 'A', labels: ['__a'] })],
    ['a label twice', (m) => m.gauge({ name: 'a', help: 'A', labels: ['x', 'x'] })],
    ['nine labels', (m) => m.gauge({ name: 'a', help: 'A', labels: [...'abcdefghi'] })],
    ['no cells', (m) => m.gauge({ name: 'a', help: 'A', cellsMax: 0 })],
    ['too many cells', (m) => m.gauge({ name: 'a', help: 'A', cellsMax: 100_001 })],
  ]
  for (const [what, define] of refused) {
    it(`refuse ${what}`, () => assert.throws(() => define(createMetrics()), TypeError))
  }
})

describe('metrics.observed()', () => {
  it('asks at exposition, with labels, until it is disposed', () => {
    const metrics = createMetrics()
    let depth = 1
    const observed = metrics.observed({
      name: 'queue_depth',
      help: 'D',
      type: 'gauge',
      labels: ['queue'],
      collect(observe) {
        observe(depth, { queue: 'a' })
        observe(0, { queue: 'b' })
      },
    })
    depth = 7
    assert.deepEqual(read(metrics, 'queue_depth'), { a: 7, b: 0 })
    observed[Symbol.dispose]()
    assert.equal(metrics.expose().body, '')
  })

  it('that fails or says too much leaves the others alone and is counted', () => {
    const metrics = createMetrics()
    metrics.observed({ name: 'broken', help: 'B', type: 'gauge', collect: () => assert.fail('broken') })
    metrics.observed({
      name: 'wide',
      help: 'W',
      type: 'gauge',
      labels: ['n'],
      cellsMax: 2,
      collect: (observe) => ['1', '2', '3'].forEach((n) => void observe(1, { n })),
    })
    metrics.gauge({ name: 'g', help: 'G' }).set(1)
    assert.deepEqual(read(metrics, 'wide'), { 1: 1, 2: 1 })
    assert.deepEqual(read(metrics, 'g'), { '': 1 })
    assert.equal(read(metrics, 'plinth_metrics_rejected_total').broken, 2)
  })

  it('takes no name twice', () => {
    const metrics = createMetrics()
    metrics.gauge({ name: 'g', help: 'G' })
    assert.throws(() => metrics.observed({ name: 'g', help: 'G', type: 'gauge', collect: () => {} }), TypeError)
  })
})
