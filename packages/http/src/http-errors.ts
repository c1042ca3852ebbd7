import { type ErrorKind, errorKinds, PlatformError, type PlatformErrorOptions } from '@plinth/base'

/** What a code of this package means; `status` where HTTP has a finer word than the kind. */
export interface HttpErrorFacts {
  readonly kind: ErrorKind
  readonly status: number
  readonly title: string
}

/** Every fault this package answers by itself. */
export const httpErrors = {
  'http.malformed': { kind: 'invalid', status: 400, title: 'Malformed request' },
  'http.host': { kind: 'invalid', status: 400, title: 'Malformed Host' },
  'http.host_unknown': { kind: 'invalid', status: 421, title: 'Misdirected request' },
  'http.not_found': { kind: 'not_found', status: 404, title: 'No such resource' },
  'http.method_not_allowed': { kind: 'invalid', status: 405, title: 'Method not allowed' },
  'http.request_timeout': { kind: 'timeout', status: 408, title: 'Request too slow' },
  'http.body_too_large': { kind: 'invalid', status: 413, title: 'Body too large' },
  'http.url_too_long': { kind: 'invalid', status: 414, title: 'URL too long' },
  'http.media_type': { kind: 'invalid', status: 415, title: 'Media type not supported' },
  'http.headers_too_large': { kind: 'invalid', status: 431, title: 'Headers too large' },
  'http.connections_exhausted': { kind: 'exhausted', status: 503, title: 'Too many connections' },
  'http.listen_failed': { kind: 'unavailable', status: 503, title: 'Cannot listen' },
  'http.body_cut': { kind: 'cancelled', status: 499, title: 'Body cut off' },
} as const satisfies Record<`http.${string}`, HttpErrorFacts>

/** The codes of this package. */
export type HttpErrorCode = keyof typeof httpErrors

/** Makes a fault of this package; its kind follows from its code. */
export function httpError(
  code: HttpErrorCode,
  message: string,
  options: Omit<PlatformErrorOptions, 'kind' | 'code'> = {},
): PlatformError {
  return new PlatformError(message, { ...options, kind: httpErrors[code].kind, code })
}

/** The status of the answer to a fault: the code's own where it has one, else the kind's. */
export function httpStatusOf(error: PlatformError): number {
  return factsOf(error.code)?.status ?? errorKinds[error.kind].http
}

/** The title of the answer to a fault, chosen like its status. */
export function httpTitleOf(error: PlatformError): string {
  return factsOf(error.code)?.title ?? errorKinds[error.kind].title
}

function factsOf(code: string): HttpErrorFacts | undefined {
  return Object.hasOwn(httpErrors, code) ? httpErrors[code as HttpErrorCode] : undefined
}
