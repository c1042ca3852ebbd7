/** What a `traceparent` header says. */
export interface TraceParent {
  readonly traceId: string
  readonly spanId: string
  /** Only bit 0, sampled, is known; the others are dropped, as the recommendation asks. */
  readonly flags: number
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s
const noTrace = '0'.repeat(32)
const noSpan = '0'.repeat(16)

/** Bit 0 of the flags: the caller records this trace. */
export const sampledFlag = 1

/**
 * Reads a `traceparent` (W3C Trace Context level 1, section 3.2) strictly: lower case, known lengths, no zero ids.
 * A later version is read by its first four fields, whatever follows them. Anything else is `undefined`.
 */
export function parseTraceparent(header: string): TraceParent | undefined {
  // Later versions may be longer, but nobody sends a kilobyte in good faith.
  if (header.length > 512) return undefined
  const match = form.exec(header)
  if (!match) return undefined
  const [, version, traceId = '', spanId = '', flags = '', more] = match
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (traceId === noTrace || spanId === noSpan) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & sampledFlag }
}

/** Writes a `traceparent` of version 00. */
export function formatTraceparent({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${(flags & sampledFlag) === 0 ? '00' : '01'}`
}
