import { errorKinds, fromUnknown, type Random } from '@plinth/base'
import type { TraceContext } from './context.ts'
import { type AttributeValue, type FinishedSpan, type Span, type SpanKind, type SpanLink, spanLimits } from './span.ts'
import { randomHex } from './trace-ids.ts'

/** The part of a trace that runs in this process under one outermost span. */
export interface LocalTrace {
  readonly id: { readonly text: string }
  readonly flags: number
  readonly traceState: string | undefined
  /** Wall time minus monotonic time when the outermost span began. */
  readonly wallOffsetMs: number
  outermost: RecordedSpan | undefined
  /** Whether a span failed in earnest. */
  failed: boolean
  /** Decided at once for sampled traces, otherwise when the outermost span ends. */
  fate: 'undecided' | 'keep' | 'discard'
  /** Ended spans that wait for the decision. */
  waiting: RecordedSpan[]
}

/** A span that is recorded, and the context of the code it runs. Its own id is made when somebody asks for it. */
export class RecordedSpan implements Span, TraceContext {
  readonly isRecording = true
  readonly trace: LocalTrace
  readonly name: string
  readonly kind: SpanKind
  readonly requestId: string | undefined
  readonly #random: Random
  readonly #parent: TraceContext | undefined
  readonly #startMs: number
  #endMs = -1
  #spanId = ''
  #attributes: Map<string, AttributeValue> | undefined
  #links: SpanLink[] | undefined
  #droppedFacts = 0
  #status: 'unset' | 'error' = 'unset'
  #statusMessage: string | undefined

  // Six arguments and no record around them: this runs for every span.
  constructor(
    trace: LocalTrace,
    name: string,
    kind: SpanKind,
    parent: TraceContext | undefined,
    requestId: string | undefined,
    random: Random,
    startMs: number,
  ) {
    this.trace = trace
    this.name = name
    this.kind = kind
    this.requestId = requestId
    this.#parent = parent
    this.#random = random
    this.#startMs = startMs
  }

  get traceId(): string {
    return this.trace.id.text
  }

  get spanId(): string {
    if (this.#spanId === '') this.#spanId = randomHex(this.#random, 2)
    return this.#spanId
  }

  get flags(): number {
    return this.trace.flags
  }

  get traceState(): string | undefined {
    return this.trace.traceState
  }

  get hasEnded(): boolean {
    return this.#endMs >= 0
  }

  set(name: string, value: AttributeValue): void {
    this.#attributes ??= new Map()
    const key = cut(name, spanLimits.attributeNameChars)
    if (this.hasEnded || (this.#attributes.size >= spanLimits.attributes && !this.#attributes.has(key))) {
      this.#droppedFacts++
      return
    }
    this.#attributes.set(key, typeof value === 'string' ? cut(value, spanLimits.valueChars) : value)
  }

  link(to: SpanLink): void {
    this.#links ??= []
    if (this.hasEnded || this.#links.length >= spanLimits.links) this.#droppedFacts++
    else this.#links.push({ traceId: to.traceId, spanId: to.spanId })
  }

  fail(error: unknown): void {
    const fault = fromUnknown(error)
    this.set('error.type', fault.code === 'base.internal' && Error.isError(error) ? error.name : fault.code)
    const { level } = errorKinds[fault.kind]
    // What the caller did wrong is an answer, not a failure: it would keep every trace of a hostile client.
    if (level === 'info' || level === 'debug') return
    this.#status = 'error'
    this.#statusMessage ??= cut(Error.isError(error) ? String(error.message) : String(error), spanLimits.valueChars)
    this.trace.failed = true
  }

  /** Ends the span; later calls change nothing. */
  end(nowMs: number): void {
    if (!this.hasEnded) this.#endMs = Math.max(nowMs, this.#startMs)
  }

  /** The span as plain data, which holds on to nothing else. */
  finished(): FinishedSpan {
    return {
      traceId: this.traceId,
      spanId: this.spanId,
      parentSpanId: this.#parent?.spanId,
      traceState: this.traceState,
      requestId: this.requestId,
      name: cut(this.name, spanLimits.nameChars),
      kind: this.kind,
      startMs: this.trace.wallOffsetMs + this.#startMs,
      durationMs: this.#endMs - this.#startMs,
      status: this.#status,
      statusMessage: this.#statusMessage,
      attributes: this.#attributes ?? noAttributes,
      links: this.#links ?? noLinks,
      droppedFacts: this.#droppedFacts,
    }
  }
}

const noAttributes: ReadonlyMap<string, AttributeValue> = new Map()
const noLinks: readonly SpanLink[] = []

function cut(text: string, charsMax: number): string {
  return text.length > charsMax ? text.slice(0, charsMax) : text
}
