import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseExposition } from '../testing.ts'
import { negotiateExposition } from './exposition.ts'
import { createMetrics } from './registry.ts'

const openmetrics = 'application/openmetrics-text'

describe('metrics.expose()', () => {
  it('writes Prometheus text 0.0.4 as the format has it', () => {
    const metrics = createMetrics()
    metrics
      .counter({ name: 'a_total', help: 'Lines\nand \\ "quotes"', labels: ['x', 'y'] })
      .labels({ x: 'a"b\\\n', y: 'ü' })
      .inc(2)
    metrics.gauge({ name: 'g', help: 'G' }).set(-0.5)
    const histogram = metrics.histogram({ name: 'h_seconds', help: 'H', buckets: [0.1, 1] })
    for (const value of [0.1, 0.5, 1, 7]) histogram.observe(value)
    assert.equal(
      metrics.expose().body,
      [
        '# HELP a_total Lines\\nand \\\\ "quotes"',
        '# TYPE a_total counter',
        'a_total{x="a\\"b\\\\\\n",y="ü"} 2',
        '# HELP g G',
        '# TYPE g gauge',
        'g -0.5',
        '# HELP h_seconds H',
        '# TYPE h_seconds histogram',
        'h_seconds_bucket{le="0.1"} 1',
        'h_seconds_bucket{le="1"} 3',
        'h_seconds_bucket{le="+Inf"} 4',
        'h_seconds_sum 8.6',
        'h_seconds_count 4',
        '',
      ].join('\n'),
    )
    assert.equal(metrics.expose().contentType, 'text/plain; version=0.0.4; charset=utf-8')
  })

  it('writes OpenMetrics 1.0 when asked: families without _total, bounds as floats, an end', () => {
    const metrics = createMetrics()
    metrics.counter({ name: 'a_total', help: 'A "q"' }).inc()
    metrics.histogram({ name: 'h', help: 'H', buckets: [1] }).observe(1)
    const { body, contentType } = metrics.expose(openmetrics)
    assert.equal(contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
    assert.deepEqual(body.split('\n'), [
      '# HELP a A \\"q\\"',
      '# TYPE a counter',
      'a_total 1',
      '# HELP h H',
      '# TYPE h histogram',
      'h_bucket{le="1.0"} 1',
      'h_bucket{le="+Inf"} 1',
      'h_sum 1',
      'h_count 1',
      '# EOF',
      '',
    ])
  })

  it('says the same as was put in, read back by another parser, whatever help, values and labels hold', () => {
    const char = fc.constantFrom(...'"\\\n\r{}=,# aZ0', 'ü', '😀', '\0', '\u2028')
    const text = fc.string({ unit: char, maxLength: 40 })
    const number = fc.double()
    const metricSet = fc.record({
      help: text.filter((help) => help.trim() !== ''),
      cells: fc.uniqueArray(fc.record({ a: text, b: text, value: number }), {
        selector: ({ a, b }) => JSON.stringify([a, b]),
        maxLength: 8,
      }),
      observed: fc.array(
        number.filter((value) => !Number.isNaN(value)),
        { maxLength: 20 },
      ),
    })
    fc.assert(
      fc.property(metricSet, fc.constantFrom(openmetrics, ''), ({ help, cells, observed }, accept) => {
        const metrics = createMetrics()
        const gauge = metrics.gauge({ name: 'g', help, labels: ['a', 'b'] })
        for (const { a, b, value } of cells) gauge.labels({ a, b }).set(value)
        const buckets = [-1, 0, 0.25, 1e21]
        const histogram = metrics
          .histogram({ name: 'h', help, buckets, labels: ['a'] })
          .labels({ a: help.slice(0, 256) })
        for (const value of observed) histogram.observe(value)
        const families = parseExposition(metrics.expose(accept).body)
        const read = families.get('g')
        assert.deepEqual(
          read?.samples.map(({ labels, value }) => [labels.get('a'), labels.get('b'), value]) ?? [],
          cells.map(({ a, b, value }) => [a, b, Object.is(value, -0) ? 0 : value]),
        )
        const spread = families.get('h')
        assert.equal(spread?.help, help)
        for (const sample of spread?.samples ?? []) {
          assert.equal(sample.labels.get('a'), help.slice(0, 256))
          if (!sample.name.endsWith('_bucket')) continue
          const bound = Number(sample.labels.get('le')?.replace('+Inf', 'Infinity'))
          assert.equal(sample.value, observed.filter((value) => value <= bound).length)
        }
        assert.equal(spread?.samples.length, buckets.length + 3)
      }),
    )
  })
})

describe('negotiateExposition()', () => {
  const rows: [string | undefined, string][] = [
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['text/plain', 'text'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8,text/plain;version=0.0.4;q=0.5', 'openmetrics'],
    ['application/openmetrics-text;q=0.3,text/plain;q=0.9', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
    ['APPLICATION/OPENMETRICS-TEXT;Q=0.5', 'openmetrics'],
    ['application/openmetrics-text;q=nonsense', 'text'],
    [',;,=', 'text'],
    [`${'x,'.repeat(5000)}application/openmetrics-text`, 'text'],
  ]
  for (const [accept, expected] of rows) {
    it(`takes ${String(accept).slice(0, 60)} for ${expected}`, () =>
      assert.equal(negotiateExposition(accept), expected))
  }
})
