import { type ErrorKind, errorKinds, isErrorKind } from './error-kind.ts'

/** What a fault carries besides its message. */
export interface PlatformErrorOptions {
  readonly kind: ErrorKind
  /** Stable, dotted, owned by one package or service: `data.pool_exhausted`. Callers may switch on it. */
  readonly code: string
  /**
   * Whether the same call, repeated unchanged, may succeed.
   * @default the kind's own answer in {@link errorKinds}
   */
  readonly retryable?: boolean
  /** How long to wait before repeating, in milliseconds. */
  readonly retryAfterMs?: number
  /** Facts a program may read: which limit, which field, which id. Never a secret: this crosses the wire. */
  readonly details?: ErrorDetails
  readonly cause?: unknown
}

/** One broken field of a request. */
export interface FieldViolation {
  /** Path in proto JSON names: `lines[0].quantity`. Empty for the message as a whole. */
  readonly field: string
  /** Stable id of the rule: `string.min_len`. */
  readonly rule: string
  /** What was expected and what came, in one sentence. */
  readonly message: string
}

/** Details travel over every transport as they are, so they hold nothing but JSON. */
export interface ErrorDetails {
  readonly violations?: readonly FieldViolation[]
  readonly [fact: string]: JsonValue | readonly FieldViolation[] | undefined
}

/** What JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/**
 * A fault: the world failed, or a caller asked for what cannot be. It crosses every boundary (in process, gRPC,
 * REST, CLI) with kind, code, details and retry hint intact; the cause and the stack stay at home.
 *
 * Bugs are not faults: a misused library throws `TypeError` or `RangeError`, a broken invariant `InvariantError`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { PlatformError } from '@plinth/base'
 *
 * const error = new PlatformError('Cannot take a connection: all 10 are in use', {
 *   kind: 'exhausted',
 *   code: 'data.pool_exhausted',
 *   retryAfterMs: 250,
 * })
 * assert.equal(error.retryable, true)
 * ```
 */
export class PlatformError extends Error {
  readonly kind: ErrorKind
  readonly code: string
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly details: ErrorDetails

  static {
    // On the prototype, so that instances carry only their own facts.
    PlatformError.prototype.name = 'PlatformError'
  }

  constructor(message: string, options: PlatformErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.kind = options.kind
    this.code = options.code
    this.retryable = options.retryable ?? errorKinds[options.kind].retryable
    this.retryAfterMs = options.retryAfterMs
    this.details = options.details ?? {}
  }

  /** Recognises a fault from another copy of this package too: by shape, not by class. */
  static is(value: unknown): value is PlatformError {
    if (value instanceof PlatformError) return true
    return (
      Error.isError(value) &&
      'kind' in value &&
      isErrorKind(value.kind) &&
      'code' in value &&
      typeof value.code === 'string' &&
      'retryable' in value &&
      typeof value.retryable === 'boolean' &&
      'details' in value &&
      typeof value.details === 'object' &&
      value.details !== null
    )
  }
}

/**
 * Makes a fault of whatever was thrown, keeping it as `cause`. Aborts become `cancelled`, time-outs `timeout`,
 * full disks `exhausted`; what nobody foresaw becomes `internal` with a message that tells a stranger nothing.
 */
export function fromUnknown(reason: unknown): PlatformError {
  if (PlatformError.is(reason)) return reason
  if (Error.isError(reason)) {
    if (reason.name === 'AbortError') {
      return new PlatformError('The call was cancelled', { kind: 'cancelled', code: 'base.cancelled', cause: reason })
    }
    if (reason.name === 'TimeoutError') {
      return new PlatformError('The deadline has passed', { kind: 'timeout', code: 'base.deadline', cause: reason })
    }
    const system = systemFaults.get(String((reason as NodeJS.ErrnoException).code))
    if (system) return new PlatformError(system.message, { kind: system.kind, code: system.code, cause: reason })
  }
  return new PlatformError('Something failed inside the server', {
    kind: 'internal',
    code: 'base.internal',
    cause: reason,
  })
}

const systemFaults = new Map<string, { kind: ErrorKind; code: string; message: string }>([
  ['ENOSPC', { kind: 'exhausted', code: 'base.disk_full', message: 'The disk is full' }],
  ['EDQUOT', { kind: 'exhausted', code: 'base.disk_full', message: 'The disk quota is used up' }],
  ['EMFILE', { kind: 'exhausted', code: 'base.files_exhausted', message: 'Too many files are open' }],
  ['ENFILE', { kind: 'exhausted', code: 'base.files_exhausted', message: 'Too many files are open' }],
  [
    'ECONNREFUSED',
    { kind: 'unavailable', code: 'base.connection_refused', message: 'The peer refused the connection' },
  ],
  ['ECONNRESET', { kind: 'unavailable', code: 'base.connection_lost', message: 'The peer closed the connection' }],
  ['EPIPE', { kind: 'unavailable', code: 'base.connection_lost', message: 'The peer closed the connection' }],
  ['ENOTFOUND', { kind: 'unavailable', code: 'base.name_unknown', message: 'The name of the peer does not resolve' }],
  ['EAI_AGAIN', { kind: 'unavailable', code: 'base.name_unknown', message: 'The name of the peer does not resolve' }],
  ['EHOSTUNREACH', { kind: 'unavailable', code: 'base.unreachable', message: 'There is no way to the peer' }],
  ['ENETUNREACH', { kind: 'unavailable', code: 'base.unreachable', message: 'There is no way to the peer' }],
  ['ETIMEDOUT', { kind: 'unavailable', code: 'base.connection_timeout', message: 'The peer did not answer in time' }],
])
