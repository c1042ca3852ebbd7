import type { IncomingMessage } from 'node:http'
import type { PlatformError } from '@plinth/base'
import { httpError } from './http-errors.ts'

const hostForm = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i
const remembered = 64

/**
 * Makes the check every request passes before it is routed: at most `headersMax` header lines, exactly one
 * well-formed Host (RFC 9112, section 3.2) that this server answers to, and a target in origin form. An absolute
 * target must name the same host and is brought to origin form; a mismatch is how caches are poisoned.
 */
export function createTargetCheck(options: {
  readonly hosts: readonly string[]
  readonly headersMax: number
  readonly urlBytesMax: number
}): (request: IncomingMessage) => PlatformError | undefined {
  const known = new Set<string>()
  const accepted = new Set(options.hosts)

  function checkHost(host: string): PlatformError | undefined {
    if (known.has(host)) return undefined
    if (!hostForm.test(host)) return httpError('http.host', 'The Host header is not a host name')
    const name = host.replace(/:[0-9]+$/, '').toLowerCase()
    if (accepted.size > 0 && !accepted.has(name)) {
      return httpError('http.host_unknown', 'This server does not answer for that host')
    }
    if (known.size < remembered) known.add(host)
    return undefined
  }

  return (request) => {
    const raw = request.rawHeaders
    if (raw.length > options.headersMax * 2) {
      return httpError('http.headers_too_large', `A request has at most ${options.headersMax} headers`)
    }
    const url = request.url as string
    if (url.length > options.urlBytesMax) {
      return httpError('http.url_too_long', `A URL has at most ${options.urlBytesMax} bytes`)
    }
    const host = soleHost(raw)
    if (host === undefined) {
      // HTTP/1.0 knows no Host.
      if (request.httpVersionMinor !== 0 || countHosts(raw) > 0) {
        return httpError('http.host', 'A request has exactly one Host header')
      }
    } else {
      const refused = checkHost(host)
      if (refused) return refused
    }
    return url.charCodeAt(0) === 0x2f ? undefined : checkTarget(request, host)
  }
}

/** The only Host, or nothing if there is none or more than one. */
function soleHost(raw: readonly string[]): string | undefined {
  let host: string | undefined
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (host !== undefined) return undefined
    host = raw[at + 1]
  }
  return host
}

function countHosts(raw: readonly string[]): number {
  return raw.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length
}

function checkTarget(request: IncomingMessage, host: string | undefined): PlatformError | undefined {
  const url = request.url as string
  if (url === '*' && request.method === 'OPTIONS') return undefined
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url)
  if (!absolute || absolute[1]?.toLowerCase() !== host?.toLowerCase()) {
    return httpError('http.malformed', 'The request target is not a path on this host')
  }
  const path = absolute[2] as string
  request.url = path.startsWith('/') ? path : `/${path}`
  return undefined
}
