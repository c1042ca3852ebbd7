import type { ServerResponse } from 'node:http'
import type { PlatformError } from '@plinth/base'
import { problemMediaType, retryAfterSeconds, toProblem } from './problem.ts'
import type { SecurityHeaders } from './security-headers.ts'

/** A header list as Node takes it without copying: name, value, name, value… */
export type FlatHeaders = string[]

/** Writes whole answers straight to Node, with what every answer carries. */
export interface Answerer {
  /**
   * Sends status, headers and body at once. Adds the security headers, the request id and the length; does nothing
   * if an answer has begun. A HEAD request gets the headers only.
   */
  send(response: ServerResponse, status: number, headers: FlatHeaders, body: string | Uint8Array): void
  /** Sends status and headers of a body that will be written piece by piece. */
  begin(response: ServerResponse, status: number, headers: FlatHeaders): void
  /** Sends a fault as a problem document; `headers` go along (`allow`, `www-authenticate`). */
  sendProblem(response: ServerResponse, error: PlatformError, headers?: FlatHeaders): void
}

const requestIdKey = Symbol('plinth.requestId')
const routeKey = Symbol('plinth.route')

// Properties of the response itself: a WeakMap costs a hash of every object it sees.
interface Marked {
  [requestIdKey]?: string
  [routeKey]?: string
}

/** Remembers the id under which a request is answered, logged and traced. */
export function setRequestId(response: ServerResponse, id: string): void {
  ;(response as Marked)[requestIdKey] = id
}

/** The id of the request that `response` answers; empty before the server has given it one. */
export function requestIdOf(response: ServerResponse): string {
  return (response as Marked)[requestIdKey] ?? ''
}

/** Names the route of a request for announcements: its template, never the concrete path. */
export function setRoute(response: ServerResponse, route: string): void {
  ;(response as Marked)[routeKey] = route
}

/** The route's template, empty while none has matched. */
export function routeOf(response: ServerResponse): string {
  return (response as Marked)[routeKey] ?? ''
}

/** An answer that is complete but for being written. */
interface Ready {
  readonly response: ServerResponse
  readonly body: string | Uint8Array
  /** Bytes of the body; 0 for none. */
  readonly length: number
}

/** Makes the one writer of answers that a server's own code, its routes and what is mounted on it share. */
export function createAnswerer(security: SecurityHeaders): Answerer {
  const end = createEnd()
  const answerer: Answerer = {
    send(response, status, headers, body) {
      if (response.headersSent || response.destroyed) return
      const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
      // 1xx, 204 and 304 have no body, and of them only 304 could say the length of another answer's.
      if (status !== 204 && status !== 304) headers.push('content-length', String(length))
      answerer.begin(response, status, headers)
      const isBare = status === 204 || status === 304 || response.req.method === 'HEAD'
      end({ response, body, length: isBare ? 0 : length })
    },
    begin(response, status, headers) {
      if (response.headersSent || response.destroyed) return
      for (let at = 0; at < security.api.length; at++) headers.push(security.api[at] as string)
      headers.push('x-request-id', requestIdOf(response))
      // The list replaces what was set before; what caches must know of CORS has to survive.
      const vary = response.getHeader('vary')
      if (typeof vary === 'string') headers.push('vary', vary)
      response.writeHead(status, headers)
    },
    sendProblem(response, error, headers = []) {
      const problem = toProblem(error, requestIdOf(response))
      headers.push('content-type', problemMediaType, 'cache-control', 'no-store')
      const retryAfter = retryAfterSeconds(error)
      if (retryAfter !== undefined) headers.push('retry-after', String(retryAfter))
      if (problem.status === 401) headers.push('www-authenticate', 'Bearer')
      answerer.send(response, problem.status, headers, JSON.stringify(problem))
    },
  }
  return answerer
}

/**
 * Writes the answers of one turn of the event loop together, at its end: a reader that sleeps between two answers has to
 * be woken for each, which on a machine of two cores cost more than making the answer.
 */
function createEnd(): (ready: Ready) => void {
  let waiting: Ready[] = []
  const flush = () => {
    const turn = waiting
    waiting = []
    for (const { response, body, length } of turn) {
      if (length === 0) response.end()
      // As many bytes as characters is ASCII, which goes out without being encoded.
      else if (length === body.length) response.end(body, 'latin1')
      else response.end(body)
    }
  }
  return (ready) => {
    if (waiting.length === 0) setImmediate(flush)
    waiting.push(ready)
  }
}
