import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { PlatformError } from '@plinth/base'
import { refusedChannel } from './announcements.ts'
import { httpError } from './http-errors.ts'
import { problemMediaType, retryAfterSeconds, toProblem } from './problem.ts'
import type { SecurityHeaders } from './security-headers.ts'

/** Writes an answer where there is no request to answer: the parser gave up, or the connection is one too many. */
export function refuseSocket(socket: Socket, error: PlatformError, security: SecurityHeaders): void {
  const problem = toProblem(error)
  if (refusedChannel.hasSubscribers) {
    refusedChannel.publish({ code: problem.code, status: problem.status, peer: socket.remoteAddress ?? '' })
  }
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(problem)
  const retryAfter = retryAfterSeconds(error)
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}`,
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    'cache-control: no-store',
    ...(retryAfter === undefined ? [] : [`retry-after: ${retryAfter}`]),
  ]
  for (let at = 0; at < security.api.length; at += 2) lines.push(`${security.api[at]}: ${security.api[at + 1]}`)
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroySoon())
}

/** Answers what Node's parser or its timers refuse. A connection that has begun an answer, or is gone, is cut. */
export function onClientError(error: NodeJS.ErrnoException, socket: Socket, security: SecurityHeaders): void {
  // Node keeps the answer under way here; after its head is out nothing else can be said.
  const begun = (socket as { _httpMessage?: { headersSent?: boolean } })._httpMessage?.headersSent === true
  if (error.code === 'ECONNRESET' || begun) {
    socket.destroy()
    return
  }
  refuseSocket(socket, faultOf(error), security)
}

function faultOf(error: NodeJS.ErrnoException): PlatformError {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return httpError('http.headers_too_large', 'The request line and headers are too large')
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return httpError('http.body_too_large', 'The chunk extensions are too large')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return httpError('http.request_timeout', 'The request did not arrive in time')
    default:
      return httpError('http.malformed', 'The bytes received are not an HTTP request')
  }
}
