import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CorsOptions } from './http-server-options.ts'

const exposed = 'etag, x-request-id, retry-after, location'
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

/** Applies CORS (Fetch standard); true when the request was a preflight and is answered. */
export type ApplyCors = (request: IncomingMessage, response: ServerResponse) => boolean

export function createCors(options: Required<CorsOptions>): ApplyCors {
  const origins = new Set(options.origins)
  const anyone = origins.has('*')
  const headers = options.headers.join(', ')
  return (request, response) => {
    const origin = request.headers.origin
    // The answer depends on who asks even when this one gets nothing, and caches must know.
    if (!anyone) response.setHeader('vary', 'origin')
    const allowed = origin !== undefined && (anyone || origins.has(origin))
    if (allowed) {
      response.setHeader('access-control-allow-origin', anyone ? '*' : origin)
      response.setHeader('access-control-expose-headers', exposed)
      if (options.allowCredentials) response.setHeader('access-control-allow-credentials', 'true')
    }
    const preflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    if (!preflight || origin === undefined) return false
    if (allowed) {
      response.setHeader('access-control-allow-methods', methods)
      response.setHeader('access-control-allow-headers', headers)
      response.setHeader('access-control-max-age', String(options.maxAgeS))
    }
    response.writeHead(204).end()
    return true
  }
}
