/** What the span stands for, as OpenTelemetry has it. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer'

/** What an attribute may hold. Numbers are doubles; make longer integers strings. */
export type AttributeValue = string | number | boolean

/** Attributes by name, in snake_case or the dotted names of OpenTelemetry; `undefined` is left out. */
export type SpanAttributes = Readonly<Record<string, AttributeValue | undefined>>

/** Another trace this one has to do with: the message a batch was made of, the request that queued the job. */
export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
}

/** A span under way. Where nothing is recorded its methods do nothing and cost nothing. */
export interface Span {
  /** Whether anything set here may be seen, for attributes that are costly to gather. */
  readonly isRecording: boolean
  /** Sets an attribute. Past 32 attributes or 1,024 characters a value, the rest is dropped and counted. */
  set(name: string, value: AttributeValue): void
  /** Links another trace. Past 32 links the rest is dropped and counted. */
  link(to: SpanLink): void
  /** Marks the span as failed without throwing. */
  fail(error: unknown): void
}

/** A span that has ended: plain data, ready for a ring, a page or an exporter. */
export interface FinishedSpan {
  readonly traceId: string
  readonly spanId: string
  /** `undefined` at the root of a trace. */
  readonly parentSpanId: string | undefined
  readonly traceState: string | undefined
  readonly requestId: string | undefined
  readonly name: string
  readonly kind: SpanKind
  /** Milliseconds since 1970 with fractions. */
  readonly startMs: number
  readonly durationMs: number
  readonly status: 'unset' | 'ok' | 'error'
  readonly statusMessage: string | undefined
  readonly attributes: ReadonlyMap<string, AttributeValue>
  readonly links: readonly SpanLink[]
  /** Attributes and links that the bounds kept out. */
  readonly droppedFacts: number
}

/** Names and bounds of a span: what does not fit is cut, and counted where whole facts are lost. */
export const spanLimits = {
  nameChars: 128,
  attributes: 32,
  attributeNameChars: 128,
  valueChars: 1024,
  links: 32,
} as const
