import type { IncomingMessage, ServerResponse } from 'node:http'
import { httpError } from './http-errors.ts'

const empty = Buffer.alloc(0)

/** Whether a request says that it brings a body (RFC 9112, section 6): a length above zero or a transfer coding. */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length']
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

/**
 * Reads the whole body of the request that `response` answers, of at most `bytesMax`. What is announced too large is refused before a byte of it is kept, and
 * what turns out too large is refused at the first byte too many; the connection then closes after the answer, since
 * what follows on it cannot be trusted to be a request.
 *
 * @throws PlatformError `http.body_too_large`, and `http.body_cut` (kind cancelled) when the client leaves.
 */
export function readBody(response: ServerResponse, bytesMax: number): Promise<Buffer> | Buffer {
  const request = response.req
  if (!hasBody(request)) return empty
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > bytesMax) return Promise.reject(tooLarge(response, bytesMax))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const settle = (error: Error | undefined) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      if (error) reject(error)
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes))
    }
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) settle(tooLarge(response, bytesMax))
      else chunks.push(chunk)
    }
    const onEnd = () => settle(undefined)
    const onClose = () => settle(httpError('http.body_cut', 'The client left before its body was complete'))
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}

function tooLarge(response: ServerResponse, bytesMax: number): Error {
  // The rest is thrown away as it comes, so that the client gets to read the answer; then the connection closes.
  response.shouldKeepAlive = false
  response.req.resume()
  return httpError('http.body_too_large', `Cannot read the body: it has more than ${bytesMax} bytes`, {
    details: { bytesMax },
  })
}
