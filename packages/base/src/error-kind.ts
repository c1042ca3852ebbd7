/** How loudly a fault of a kind is logged where it leaves the system. */
export type FaultLevel = 'debug' | 'info' | 'warn' | 'error'

interface ErrorKindFacts {
  /** Status of the HTTP answer (RFC 9110). */
  readonly http: number
  /** gRPC status code (grpc/statuscodes). */
  readonly grpc: number
  /** Exit code of the CLI; 1 is left to crashes and 2 to wrong usage. */
  readonly exit: number
  readonly level: FaultLevel
  /** Whether repeating the same call may help. */
  readonly retryable: boolean
  /** Title of the problem document (RFC 9457). */
  readonly title: string
}

/**
 * The one table that says what each kind of fault is on every transport. The set is closed: a new kind is a change
 * to every edge, and the compiler finds them.
 */
export const errorKinds = {
  invalid: { http: 400, grpc: 3, exit: 10, level: 'info', retryable: false, title: 'Invalid request' },
  unauthenticated: { http: 401, grpc: 16, exit: 11, level: 'info', retryable: false, title: 'Not signed in' },
  forbidden: { http: 403, grpc: 7, exit: 12, level: 'warn', retryable: false, title: 'Not allowed' },
  not_found: { http: 404, grpc: 5, exit: 13, level: 'info', retryable: false, title: 'Not found' },
  conflict: { http: 409, grpc: 10, exit: 14, level: 'info', retryable: true, title: 'Conflict' },
  exists: { http: 409, grpc: 6, exit: 15, level: 'info', retryable: false, title: 'Already exists' },
  precondition: { http: 422, grpc: 9, exit: 16, level: 'info', retryable: false, title: 'Not possible now' },
  stale: { http: 412, grpc: 9, exit: 17, level: 'info', retryable: false, title: 'Changed meanwhile' },
  exhausted: { http: 429, grpc: 8, exit: 18, level: 'warn', retryable: true, title: 'Limit reached' },
  cancelled: { http: 499, grpc: 1, exit: 19, level: 'debug', retryable: false, title: 'Cancelled' },
  timeout: { http: 504, grpc: 4, exit: 20, level: 'warn', retryable: true, title: 'Too late' },
  unavailable: { http: 503, grpc: 14, exit: 21, level: 'error', retryable: true, title: 'Not available' },
  unsupported: { http: 501, grpc: 12, exit: 22, level: 'info', retryable: false, title: 'Not supported' },
  internal: { http: 500, grpc: 13, exit: 23, level: 'error', retryable: false, title: 'Internal error' },
} as const satisfies Record<string, ErrorKindFacts>

/** The closed set of reasons for which a call can fail. */
export type ErrorKind = keyof typeof errorKinds

/** Whether `value` names a kind, for errors that come from outside. */
export function isErrorKind(value: unknown): value is ErrorKind {
  return typeof value === 'string' && Object.hasOwn(errorKinds, value)
}
