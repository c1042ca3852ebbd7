import { type Counter, CounterCell } from './counter.ts'
import { type Exposed, type ExposedMetric, expose } from './exposition.ts'
import { Family, type Labelled, type MetricType } from './family.ts'
import { type Gauge, GaugeCell } from './gauge.ts'
import { type Histogram, HistogramCell, secondsBuckets } from './histogram.ts'

/** What every metric has. */
export interface MetricOptions {
  /** `snake_case` with its unit behind it (`_seconds`, `_bytes`); counters end in `_total`. */
  readonly name: string
  /** One sentence for whoever meets the metric on a dashboard. */
  readonly help: string
  /** Cells a metric may have; 1 to 100,000. @default 1000 */
  readonly cellsMax?: number
}

/** What a histogram has besides. */
export interface HistogramOptions extends MetricOptions {
  /** Upper bounds, ascending, finite, at most 64; what exceeds the last is counted too. @default secondsBuckets */
  readonly buckets?: readonly number[]
}

/** With the names of its labels. */
export type WithLabels<Options, Label extends string> = Options & { readonly labels: readonly Label[] }

/** A metric whose values somebody else keeps: the depth of a queue, the size of a pool. */
export interface ObservedOptions<Label extends string> extends MetricOptions {
  readonly type: 'gauge' | 'counter'
  readonly labels?: readonly Label[]
  /**
   * Called at every exposition; says the values of the moment. Must be quick and synchronous. If it throws, the
   * metric is left out this time and counted as rejected.
   */
  collect(observe: (value: number, labels?: Readonly<Record<Label, string>>) => void): void
}

/**
 * The metrics of a process. Asking again for a metric of the same shape gives the same one, so two parts may share
 * it; the same name in another shape is a bug.
 *
 * Two metrics of its own: `plinth_metrics_overflow_total{metric}` counts look-ups that met the bound on cells,
 * `plinth_metrics_rejected_total{metric}` values that could not be taken.
 *
 * @throws TypeError for names Prometheus does not take, buckets out of order, or a name taken in another shape.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createMetrics } from '@plinth/telemetry'
 *
 * const metrics = createMetrics()
 * const orders = metrics.counter({ name: 'orders_total', help: 'Orders by outcome', labels: ['outcome'] })
 * const placed = orders.labels({ outcome: 'placed' })
 * placed.inc()
 * assert.match(metrics.expose().body, /^orders_total\{outcome="placed"\} 1$/m)
 * ```
 */
export interface Metrics {
  counter(options: MetricOptions & { readonly labels?: never }): Counter
  counter<const Label extends string>(options: WithLabels<MetricOptions, Label>): Labelled<Counter, Label>
  gauge(options: MetricOptions & { readonly labels?: never }): Gauge
  gauge<const Label extends string>(options: WithLabels<MetricOptions, Label>): Labelled<Gauge, Label>
  histogram(options: HistogramOptions & { readonly labels?: never }): Histogram
  histogram<const Label extends string>(options: WithLabels<HistogramOptions, Label>): Labelled<Histogram, Label>
  /** A metric whose values are asked for at exposition. Disposing it removes it. */
  observed<const Label extends string = never>(options: ObservedOptions<Label>): Disposable
  /** Everything as text, in the format the `Accept` header asks for. */
  expose(accept?: string): Exposed
}

interface Registered {
  readonly metric: ExposedMetric
  readonly shape: string
  /** What was handed out: the family, or its only cell when there are no labels. */
  readonly handle: unknown
}

/** Makes an empty registry. */
export function createMetrics(): Metrics {
  const registered = new Map<string, Registered>()

  const selfCounter = (name: string, help: string) =>
    define({ name, help, labels: ['metric'] }, 'counter', () => new CounterCell(() => {})) as Labelled<
      Counter,
      'metric'
    >

  function define(
    options: MetricOptions & { readonly labels?: readonly string[]; readonly buckets?: readonly number[] },
    type: MetricType,
    make: () => object,
  ): unknown {
    const labelNames = options.labels ?? []
    const shape = JSON.stringify([type, labelNames, options.buckets ?? null])
    const former = registered.get(options.name)
    if (former) {
      if (former.shape === shape) return former.handle
      throw new TypeError(`Cannot define ${options.name} as ${shape}: it is ${former.shape} already`)
    }
    checkShape(options, type, labelNames)
    checkFamilyName(options.name)
    const family = new Family(
      { name: options.name, help: options.help, type, labelNames },
      { cellsMax: options.cellsMax ?? 1000, make, onOverflow: () => overflows.labels({ metric: options.name }).inc() },
    )
    const metric = options.buckets ? Object.assign(family, { buckets: options.buckets }) : family
    const handle = labelNames.length === 0 ? family.only() : family
    registered.set(options.name, { metric, shape, handle })
    return handle
  }

  /** OpenMetrics drops `_total` from the family of a counter, so `a` and `a_total` would be one. */
  function checkFamilyName(name: string): void {
    const other = name.endsWith('_total') ? name.slice(0, -'_total'.length) : `${name}_total`
    if (registered.has(other)) throw new TypeError(`Cannot define ${name}: ${other} would be the same family`)
  }

  const overflows = selfCounter('plinth_metrics_overflow_total', 'Look-ups of cells that met the bound on cells')
  const rejections = selfCounter('plinth_metrics_rejected_total', 'Values that a metric could not take')
  const rejectFor = (name: string) => () => rejections.labels({ metric: name }).inc()

  return {
    counter: (options: MetricOptions) => define(options, 'counter', () => new CounterCell(rejectFor(options.name))),
    gauge: (options: MetricOptions) => define(options, 'gauge', () => new GaugeCell()),
    histogram(options: HistogramOptions) {
      const buckets = checkedBuckets(options.name, options.buckets ?? secondsBuckets)
      const bounds = Float64Array.from(buckets)
      return define({ ...options, buckets }, 'histogram', () => new HistogramCell(bounds, rejectFor(options.name)))
    },
    observed(options: ObservedOptions<string>) {
      const labelNames = options.labels ?? []
      checkShape(options, options.type, labelNames)
      if (registered.has(options.name)) throw new TypeError(`Cannot observe ${options.name}: the name is taken`)
      checkFamilyName(options.name)
      const metric = observedMetric(options, rejectFor(options.name))
      registered.set(options.name, { metric, shape: 'observed', handle: metric })
      return { [Symbol.dispose]: () => void registered.delete(options.name) }
    },
    expose: (accept?: string) =>
      expose(
        Array.from(registered.values(), ({ metric }) => metric),
        accept,
      ),
  } as Metrics
}

function observedMetric(options: ObservedOptions<string>, reject: () => void): ExposedMetric {
  const cellsMax = options.cellsMax ?? 1000
  const labelNames = options.labels ?? []
  return {
    name: options.name,
    help: options.help,
    type: options.type,
    labelNames,
    cells() {
      const cells: { values: string[]; cell: { value: number } }[] = []
      try {
        options.collect((value, labels) => {
          if (cells.length >= cellsMax) return reject()
          const values = labelNames.map((name) => String((labels as Record<string, string> | undefined)?.[name] ?? ''))
          cells.push({ values, cell: { value } })
        })
      } catch {
        // One broken observer must not take the whole exposition away; the count says that it broke.
        reject()
        return []
      }
      return cells
    },
  }
}

const metricName = /^[a-z_][a-z0-9_]{0,127}$/
const labelName = /^(?!__)[a-z_][a-z0-9_]{0,63}$/i

function checkShape(options: MetricOptions, type: MetricType, labelNames: readonly string[]): void {
  const { name, help, cellsMax = 1000 } = options
  if (!metricName.test(name)) throw new TypeError(`Cannot define ${name}: a name is snake_case, 128 characters at most`)
  if (help.trim() === '') throw new TypeError(`Cannot define ${name}: it has no help`)
  if ((type === 'counter') !== name.endsWith('_total')) {
    throw new TypeError(`Cannot define ${name}: counters end in _total, others do not`)
  }
  if (/_(bucket|sum|count|created)$/.test(name)) {
    throw new TypeError(`Cannot define ${name}: the exposition needs names that end so for itself`)
  }
  if (!Number.isInteger(cellsMax) || cellsMax < 1 || cellsMax > 100_000) {
    throw new TypeError(`Cannot define ${name}: cellsMax is an integer from 1 to 100000, received ${cellsMax}`)
  }
  for (const label of labelNames) {
    if (!labelName.test(label) || label === 'le' || label === 'quantile') {
      throw new TypeError(`Cannot define ${name}: ${label} is no name for a label`)
    }
  }
  if (new Set(labelNames).size !== labelNames.length) throw new TypeError(`Cannot define ${name}: a label comes twice`)
  if (labelNames.length > 8) throw new TypeError(`Cannot define ${name}: it has more than 8 labels`)
}

function checkedBuckets(name: string, buckets: readonly number[]): readonly number[] {
  const ascending = buckets.every(
    (bound, at) => Number.isFinite(bound) && (at === 0 || bound > (buckets[at - 1] as number)),
  )
  if (buckets.length < 1 || buckets.length > 64 || !ascending) {
    throw new TypeError(`Cannot define ${name}: buckets are 1 to 64 finite bounds in ascending order`)
  }
  return buckets
}
