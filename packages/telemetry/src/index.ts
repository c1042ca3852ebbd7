/**
 * Logs, metrics and traces: written as lines, as Prometheus text and as records of our own, cheap enough to be on.
 * @module
 */
export { flushAtExit } from './log/flush-at-exit.ts'
export { isLogThreshold, type LogLevel, type LogThreshold, logLevels } from './log/level.ts'
export {
  createLogLevels,
  type LogLevelRule,
  type LogLevels,
  type LogLevelsOptions,
  type SelectableFields,
} from './log/levels.ts'
export { createLogger, type LogFields, type Logger, type LoggerOptions, type RootLogger } from './log/logger.ts'
export { formatReadable, type ReadableOptions, wantsColors } from './log/readable.ts'
export type { RecordLimits } from './log/record-writer.ts'
export { deniedNames } from './log/redaction.ts'
export type { LogSink } from './log/sink.ts'
export { createStreamSink, type StreamSinkOptions } from './log/stream-sink.ts'
export type { Counter } from './metrics/counter.ts'
export { type Exposed, type ExpositionFormat, negotiateExposition } from './metrics/exposition.ts'
export type { Labelled, LabelValues } from './metrics/family.ts'
export type { Gauge } from './metrics/gauge.ts'
export { bytesBuckets, type Histogram, secondsBuckets } from './metrics/histogram.ts'
export { collectProcessMetrics } from './metrics/process-metrics.ts'
export {
  createMetrics,
  type HistogramOptions,
  type MetricOptions,
  type Metrics,
  type ObservedOptions,
} from './metrics/registry.ts'
export { currentTrace, runInTrace, type TraceContext } from './traces/context.ts'
export {
  extractTrace,
  type HeaderReader,
  type HeaderWriter,
  injectTrace,
  readRequestId,
  requestIdHeader,
} from './traces/propagation.ts'
export type { AttributeValue, FinishedSpan, Span, SpanAttributes, SpanKind, SpanLink } from './traces/span.ts'
export { formatTraceparent, parseTraceparent, type TraceParent } from './traces/traceparent.ts'
export {
  createTracer,
  type OpenSpan,
  type SamplingOptions,
  type SpanOptions,
  type Tracer,
  type TracerCounts,
  type TracerDeps,
  type TracerOptions,
} from './traces/tracer.ts'
export { formatTracestate, parseTracestate, type TraceStateEntry } from './traces/tracestate.ts'
