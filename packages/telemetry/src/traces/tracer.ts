import type { Clock, Random } from '@plinth/base'
import { currentTrace, runInTrace, type TraceContext } from './context.ts'
import { KeptSpans } from './kept-spans.ts'
import { extractTrace, type HeaderReader, type HeaderWriter, injectTrace } from './propagation.ts'
import { type LocalTrace, RecordedSpan } from './recorded-span.ts'
import { SilentContext } from './silent-context.ts'
import type { FinishedSpan, Span, SpanAttributes, SpanKind, SpanLink } from './span.ts'
import { NewTraceId } from './trace-ids.ts'
import { sampledFlag } from './traceparent.ts'

/** What a span begins with. */
export interface SpanOptions {
  /** @default 'internal' */
  readonly kind?: SpanKind
  readonly attributes?: SpanAttributes
  /**
   * The span above this one: what `extract` found, or `null` to begin a trace of its own.
   * @default the context this code runs in
   */
  readonly parent?: TraceContext | null | undefined
  readonly links?: readonly SpanLink[]
  /** Names the request; inherited from the parent otherwise. */
  readonly requestId?: string | undefined
}

/** Which traces are recorded. */
export interface SamplingOptions {
  /** Share of traces begun here that are recorded, from 0 to 1; a caller's own decision counts more. @default 1 */
  readonly ratio?: number
  /**
   * Whether a trace that is not sampled is kept nonetheless when one of its spans fails: it is recorded until its
   * outermost span here ends, then thrown away or kept.
   * @default true
   */
  readonly keepFailed?: boolean
}

/** Bounds and defaults of a tracer. */
export interface TracerOptions {
  readonly sampling?: SamplingOptions
  /** Finished spans kept for {@link Tracer.recent}. @default 4096 */
  readonly recentMax?: number
  /** Spans that may wait for the decision about their trace, over all traces. @default 8192 */
  readonly pendingMax?: number
  /** Spans that may wait for the exporter; past it the oldest are dropped and counted. @default 4096 */
  readonly exportQueueMax?: number
  /** How long finished spans gather before they are exported. @default 1000 */
  readonly exportDelayMs?: number
}

/** What a tracer needs. */
export interface TracerDeps {
  readonly clock: Clock
  readonly random: Random
  /** Takes finished spans in batches of at most 512, one batch at a time. What it refuses is lost and counted. */
  readonly export?: (spans: readonly FinishedSpan[]) => Promise<void> | void
}

/** What a tracer did so far. */
export interface TracerCounts {
  readonly kept: number
  /** Spans that were recorded and then not kept because their trace did not fail. */
  readonly discarded: number
  /** Spans lost to `pendingMax`, `exportQueueMax` or a failing exporter. */
  readonly dropped: number
}

/** Makes spans. Disposing it exports what waits. */
export interface Tracer extends AsyncDisposable {
  /**
   * Runs `work` in a span and ends the span when `work` has settled. What it throws is thrown on, and marks the span
   * as failed unless the fault is one of the caller's own making (`invalid`, `not_found` and the like).
   */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => T): T
  /** A span that the caller ends, for what outlives one function. It becomes nobody's context unless `run` is used. */
  start(name: string, options: SpanOptions): OpenSpan
  /** Writes the current context to outgoing headers; nothing outside a trace. */
  inject(headers: HeaderWriter): void
  /** The context of incoming headers; nothing if there is none that is valid. */
  extract(headers: HeaderReader): TraceContext | undefined
  /** Spans kept lately, newest first. @default limit 100 */
  recent(query?: { readonly traceId?: string; readonly limit?: number }): FinishedSpan[]
  readonly counts: TracerCounts
  /** Resolves when every span kept before the call has been exported or counted as dropped. */
  flush(): Promise<void>
}

/** A span that its caller ends, for work that outlives one function: a stream, a connection. */
export interface OpenSpan extends Span {
  readonly context: TraceContext
  /** Runs `work` as part of the span; any number of times. */
  run<T>(work: () => T): T
  /** Ends the span, as failed if there is an error. Later calls change nothing. */
  end(error?: unknown): void
}

/**
 * Makes a tracer.
 *
 * @throws RangeError if an option is out of bounds.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createSeededRandom, systemClock } from '@plinth/base'
 * import { createTracer, currentTrace } from '@plinth/telemetry'
 *
 * const tracer = createTracer({ clock: systemClock, random: createSeededRandom(1) })
 * await tracer.span('place_order', { kind: 'server' }, async (span) => {
 *   span.set('order_id', 'o-1')
 *   assert.equal(currentTrace()?.flags, 1)
 * })
 * assert.equal(tracer.recent()[0]?.name, 'place_order')
 * ```
 */
export function createTracer(deps: TracerDeps, options: TracerOptions = {}): Tracer {
  return new RecordingTracer(deps, resolveTracerOptions(options))
}

interface ResolvedOptions {
  readonly ratio: number
  readonly keepFailed: boolean
  readonly recentMax: number
  readonly pendingMax: number
  readonly exportQueueMax: number
  readonly exportDelayMs: number
}

function resolveTracerOptions(options: TracerOptions): ResolvedOptions {
  const resolved = {
    ratio: options.sampling?.ratio ?? 1,
    keepFailed: options.sampling?.keepFailed ?? true,
    recentMax: options.recentMax ?? 4096,
    pendingMax: options.pendingMax ?? 8192,
    exportQueueMax: options.exportQueueMax ?? 4096,
    exportDelayMs: options.exportDelayMs ?? 1000,
  }
  const problems: string[] = []
  if (!(resolved.ratio >= 0 && resolved.ratio <= 1)) problems.push(`ratio is from 0 to 1, received ${resolved.ratio}`)
  for (const name of ['recentMax', 'pendingMax', 'exportQueueMax'] as const) {
    const value = resolved[name]
    if (!Number.isInteger(value) || value < 1) problems.push(`${name} is an integer >= 1, received ${value}`)
  }
  if (!(resolved.exportDelayMs >= 0)) problems.push(`exportDelayMs is >= 0, received ${resolved.exportDelayMs}`)
  if (problems.length > 0) throw new RangeError(`Cannot make a tracer: ${problems.join('; ')}`)
  return resolved
}

interface SpanFacts {
  readonly parent: TraceContext | undefined
  readonly requestId: string | undefined
  readonly startMs: number
}

/** Shared by all traces nobody has put a span into; never written to. */
const noSpans: RecordedSpan[] = []

const silentSpan: Span = { isRecording: false, set: () => {}, link: () => {}, fail: () => {} }

class RecordingTracer implements Tracer {
  readonly #clock: Clock
  readonly #random: Random
  readonly #options: ResolvedOptions
  readonly #kept: KeptSpans
  #pending = 0
  #discarded = 0
  #dropped = 0

  constructor(deps: TracerDeps, options: ResolvedOptions) {
    this.#clock = deps.clock
    this.#random = deps.random
    this.#options = options
    this.#kept = new KeptSpans(deps, options)
  }

  get counts(): TracerCounts {
    return { kept: this.#kept.kept, discarded: this.#discarded, dropped: this.#dropped + this.#kept.dropped }
  }

  span<T>(name: string, options: SpanOptions, work: (span: Span) => T): T {
    const context = this.#begin(name, options)
    if (!(context instanceof RecordedSpan)) {
      return context === currentTrace() ? work(silentSpan) : runInTrace(context, work, silentSpan)
    }
    let result: T
    try {
      result = runInTrace(context, work, context as Span)
    } catch (error) {
      context.fail(error)
      this.#end(context)
      throw error
    }
    if (!isThenable(result)) {
      this.#end(context)
      return result
    }
    return result.then(
      (value) => {
        this.#end(context)
        return value
      },
      (error: unknown) => {
        context.fail(error)
        this.#end(context)
        throw error
      },
    ) as T
  }

  start(name: string, options: SpanOptions): OpenSpan {
    const context = this.#begin(name, options)
    const span = context instanceof RecordedSpan ? context : silentSpan
    return {
      context,
      isRecording: span.isRecording,
      set: (key, value) => span.set(key, value),
      link: (to) => span.link(to),
      fail: (error) => span.fail(error),
      run: (work) => runInTrace(context, work),
      end: (...reason) => {
        if (!(context instanceof RecordedSpan) || context.hasEnded) return
        if (reason.length > 0 && reason[0] !== undefined) context.fail(reason[0])
        this.#end(context)
      },
    }
  }

  inject(headers: HeaderWriter): void {
    const context = currentTrace()
    if (context) injectTrace(context, headers)
  }

  extract(headers: HeaderReader): TraceContext | undefined {
    return extractTrace(headers)
  }

  recent(query: { readonly traceId?: string; readonly limit?: number } = {}): FinishedSpan[] {
    return this.#kept.recent(query)
  }

  flush(): Promise<void> {
    return this.#kept.flush()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#kept.flush()
  }

  /** The span to record, or the context to run in where nothing is recorded. */
  #begin(name: string, options: SpanOptions): TraceContext {
    const parent = options.parent === undefined ? currentTrace() : (options.parent ?? undefined)
    const requestId = options.requestId ?? parent?.requestId
    if (parent instanceof RecordedSpan) {
      return this.#record(parent.trace, name, options, { parent, requestId, startMs: this.#clock.monotonicMs() })
    }
    const id = parent ? { text: parent.traceId } : new NewTraceId(this.#random)
    const sampled = parent ? (parent.flags & sampledFlag) !== 0 : (id as NewTraceId).isWithin(this.#options.ratio)
    if (!sampled && !this.#options.keepFailed) {
      return parent && parent.requestId === requestId ? parent : new SilentContext(id, this.#random, parent, requestId)
    }
    const startMs = this.#clock.monotonicMs()
    const trace: LocalTrace = {
      id,
      flags: sampled ? sampledFlag : 0,
      traceState: parent?.traceState,
      // One reading dates all spans of the trace, so that a step of the wall clock cannot tear them apart.
      wallOffsetMs: this.#clock.nowMs() - startMs,
      outermost: undefined,
      failed: false,
      fate: sampled ? 'keep' : 'undecided',
      waiting: noSpans,
    }
    const span = this.#record(trace, name, options, { parent, requestId, startMs })
    trace.outermost = span
    return span
  }

  #record(trace: LocalTrace, name: string, options: SpanOptions, facts: SpanFacts): RecordedSpan {
    const { attributes, links, kind = 'internal' } = options
    const span = new RecordedSpan(trace, name, kind, facts.parent, facts.requestId, this.#random, facts.startMs)
    for (const key in attributes) {
      const value = attributes[key]
      if (value !== undefined) span.set(key, value)
    }
    if (links) for (const link of links) span.link(link)
    return span
  }

  #end(span: RecordedSpan): void {
    span.end(this.#clock.monotonicMs())
    const { trace } = span
    if (trace.fate === 'keep') this.#kept.add(span.finished())
    else if (trace.fate === 'discard') this.#discarded++
    else if (span === trace.outermost) this.#decide(trace, span)
    else if (this.#pending >= this.#options.pendingMax) this.#dropped++
    else {
      this.#pending++
      if (trace.waiting === noSpans) trace.waiting = [span]
      else trace.waiting.push(span)
    }
  }

  #decide(trace: LocalTrace, outermost: RecordedSpan): void {
    const { waiting } = trace
    this.#pending -= waiting.length
    trace.waiting = noSpans
    trace.fate = trace.failed ? 'keep' : 'discard'
    if (!trace.failed) {
      this.#discarded += waiting.length + 1
      return
    }
    for (const span of waiting) this.#kept.add(span.finished())
    this.#kept.add(outermost.finished())
  }
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
