import { PlatformError } from '@plinth/base'
import type { CallHeaders, CallOptions } from './call.ts'

const namePattern = /^[a-z0-9_.-]{1,100}$/
const valuePattern = /^[\x20-\x7e]*$/
const headersMax = 64
const bytesMax = 8192
/** Names that the protocols keep for themselves. */
const reserved = /^(grpc-|:|te$|content-type$|content-length$|connection$|host$|user-agent$|transfer-encoding$)|-bin$/

/**
 * The headers of a call as they are sent, checked alike for every transport: names in lower case, printable ASCII
 * values, at most 64 headers and 8 KiB, none that belongs to the protocol.
 *
 * @throws PlatformError `rpc.header_invalid`
 */
export function requestHeadersOf(options: CallOptions): CallHeaders | undefined {
  if (options.headers === undefined && options.idempotencyKey === undefined) return undefined
  const headers: CallHeaders = new Map()
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name.toLowerCase(), value)
  if (options.idempotencyKey !== undefined) headers.set('idempotency-key', options.idempotencyKey)
  checkHeaders(headers)
  return headers
}

/** @throws PlatformError `rpc.header_invalid` naming the first header that cannot be sent. */
export function checkHeaders(headers: CallHeaders): void {
  let bytes = 0
  for (const [name, value] of headers) {
    if (!namePattern.test(name) || reserved.test(name)) throw invalid(name, 'its name is reserved or malformed')
    if (typeof value !== 'string' || !valuePattern.test(value)) throw invalid(name, 'its value is not printable ASCII')
    bytes += name.length + value.length
  }
  if (headers.size > headersMax) throw invalid('', `there are ${headers.size}, at most ${headersMax} are allowed`)
  if (bytes > bytesMax) throw invalid('', `they take ${bytes} bytes, at most ${bytesMax} are allowed`)
}

function invalid(name: string, why: string): PlatformError {
  const what = name === '' ? 'the headers' : `header ${JSON.stringify(name.slice(0, 100))}`
  return new PlatformError(`Cannot send ${what}: ${why}`, { kind: 'invalid', code: 'rpc.header_invalid' })
}
