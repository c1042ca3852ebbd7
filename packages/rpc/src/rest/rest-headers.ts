import type { IncomingHttpHeaders } from 'node:http'
import { PlatformError } from '@plinth/base'
import type { FlatHeaders } from '@plinth/http'
import type { CallHeaders } from '../call.ts'

/** Headers of the connection, not of the call. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'host',
  'content-length',
  'expect',
])
const timeoutMsMax = 86_400_000

/** The headers of a request as every transport has them; `x-request-id` is the one the server answers with. */
export function callHeadersOf(headers: IncomingHttpHeaders, requestId: string): CallHeaders {
  const found: CallHeaders = new Map()
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !hopByHop.has(name))
      found.set(name, typeof value === 'string' ? value : value.join(', '))
  }
  found.set('x-request-id', requestId)
  return found
}

/** Framing belongs to the server, and what it says of itself is not for a handler to change. */
const reserved = new Set([...hopByHop, 'content-type', 'content-encoding', 'date', 'x-request-id', 'etag'])
const nameForm = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const valueForm = /^[\t\x20-\x7e]*$/

/** Adds what the handler set, except names that are the server's own and values that are no header. */
export function addResponseHeaders(headers: FlatHeaders, set: CallHeaders): void {
  for (const [name, value] of set) {
    if (!reserved.has(name) && nameForm.test(name) && valueForm.test(value)) headers.push(name, value)
  }
}

const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }

/**
 * How long the caller waits, in milliseconds: `x-timeout-ms` (a whole number, at most a day) or else `grpc-timeout`
 * (`10S`); undefined when it does not say.
 *
 * @throws PlatformError `rpc.header_invalid`.
 */
export function timeoutOf(headers: IncomingHttpHeaders): number | undefined {
  const plain = headers['x-timeout-ms']
  if (plain !== undefined) {
    const ms = typeof plain === 'string' && /^\d{1,8}$/.test(plain) ? Number(plain) : Number.NaN
    if (!(ms >= 1 && ms <= timeoutMsMax)) throw invalidHeader('x-timeout-ms', `a number from 1 to ${timeoutMsMax}`)
    return ms
  }
  const grpc = headers['grpc-timeout']
  if (grpc === undefined) return undefined
  const parts = typeof grpc === 'string' ? /^(\d{1,8})([HMSmun])$/.exec(grpc) : null
  if (!parts) throw invalidHeader('grpc-timeout', 'up to eight digits and a unit, like 10S')
  return Math.min(Number(parts[1]) * (unitsMs[parts[2] as string] as number), timeoutMsMax)
}

const tagForm = /^\s*(?:W\/)?"([\x21\x23-\x7e]*)"\s*$/

/**
 * The version that `If-Match` demands; undefined without the header and for `*`. Several tags cannot be handed on as
 * one version, and ignoring them would drop the condition.
 *
 * @throws PlatformError `rpc.header_invalid`.
 */
export function ifMatchOf(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['if-match']
  if (value === undefined || value === '*') return undefined
  const tag = tagForm.exec(value)?.[1]
  if (tag === undefined) throw invalidHeader('if-match', 'one entity tag in quotes')
  return tag
}

/** Whether `If-None-Match` names this version, compared weakly (RFC 9110, section 13.1.2). */
export function isNotModified(headers: IncomingHttpHeaders, etag: string): boolean {
  const value = headers['if-none-match']
  if (value === undefined) return false
  if (value.trim() === '*') return true
  for (const [, tag] of value.matchAll(/(?:^|,)\s*(?:W\/)?"([\x21\x23-\x7e]*)"\s*(?=,|$)/g))
    if (tag === etag) return true
  return false
}

/** A version that can stand in a header as it is. */
export function isTag(etag: string): boolean {
  return etag !== '' && /^[\x21\x23-\x7e]+$/.test(etag)
}

function invalidHeader(name: string, expected: string): PlatformError {
  return new PlatformError(`Cannot take the header ${name}: expected ${expected}`, {
    kind: 'invalid',
    code: 'rpc.header_invalid',
  })
}
