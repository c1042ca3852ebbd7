import type { CounterCell } from './counter.ts'
import type { MetricType } from './family.ts'
import type { GaugeCell } from './gauge.ts'
import type { HistogramCell } from './histogram.ts'

/** `text` is Prometheus text 0.0.4, `openmetrics` is OpenMetrics 1.0. */
export type ExpositionFormat = 'text' | 'openmetrics'

/** An answer for whoever scrapes. */
export interface Exposed {
  readonly contentType: string
  readonly body: string
}

/** A metric as the exposition reads it. */
export interface ExposedMetric {
  readonly name: string
  readonly help: string
  readonly type: MetricType
  readonly labelNames: readonly string[]
  readonly buckets?: readonly number[]
  cells(): Iterable<{ readonly values: readonly string[]; readonly cell: object }>
}

const contentTypes = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const satisfies Record<ExpositionFormat, string>

/** The format an `Accept` header prefers; plain text unless OpenMetrics is asked for with at least equal weight. */
export function negotiateExposition(accept = ''): ExpositionFormat {
  let openmetrics = 0
  let text = 0
  for (const part of accept.slice(0, 1024).split(',')) {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    if (!(weight > 0 && weight <= 1)) continue
    if (type === 'application/openmetrics-text') openmetrics = Math.max(openmetrics, weight)
    else if (type === 'text/plain') text = Math.max(text, weight)
  }
  return openmetrics > 0 && openmetrics >= text ? 'openmetrics' : 'text'
}

/** Writes all metrics in the format that `accept` asks for. */
export function expose(metrics: Iterable<ExposedMetric>, accept?: string): Exposed {
  const format = negotiateExposition(accept)
  let body = ''
  for (const metric of metrics) body += exposeMetric(metric, format)
  return { contentType: contentTypes[format], body: format === 'openmetrics' ? `${body}# EOF\n` : body }
}

function exposeMetric(metric: ExposedMetric, format: ExpositionFormat): string {
  // OpenMetrics names the family of a counter without its suffix; the samples keep it.
  const family =
    format === 'openmetrics' && metric.type === 'counter' ? metric.name.slice(0, -'_total'.length) : metric.name
  const head = `# HELP ${family} ${escapeHelp(metric.help, format)}\n# TYPE ${family} ${metric.type}\n`
  let samples = ''
  for (const { values, cell } of metric.cells()) {
    const labels = metric.labelNames.map((name, at) => `${name}="${escapeLabel(values[at] ?? '')}"`).join(',')
    if (metric.type === 'histogram') samples += exposeHistogram(metric, cell as HistogramCell, labels, format)
    else
      samples += `${metric.name}${labels && `{${labels}}`} ${formatNumber((cell as CounterCell | GaugeCell).value)}\n`
  }
  return samples === '' ? '' : head + samples
}

function exposeHistogram(metric: ExposedMetric, cell: HistogramCell, labels: string, format: ExpositionFormat): string {
  const before = labels && `${labels},`
  let text = ''
  let total = 0
  for (const [at, bound] of [...(metric.buckets ?? []), Infinity].entries()) {
    total += cell.counts[at] ?? 0
    // OpenMetrics wants bounds in the form of floats, so that 1 and 1.0 are not two series.
    const le = formatNumber(bound) + (format === 'openmetrics' && /^-?\d+$/.test(String(bound)) ? '.0' : '')
    text += `${metric.name}_bucket{${before}le="${le}"} ${total}\n`
  }
  const braced = labels && `{${labels}}`
  return `${text}${metric.name}_sum${braced} ${formatNumber(cell.sum)}\n${metric.name}_count${braced} ${total}\n`
}

function formatNumber(value: number): string {
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  return String(value)
}

function escapeHelp(text: string, format: ExpositionFormat): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return format === 'openmetrics' ? escaped.replaceAll('"', '\\"') : escaped
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
