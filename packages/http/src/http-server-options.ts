import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Ids } from '@plinth/base'
import type { Middleware } from '@plinth/concurrency'

/** Limits of the edge. Past each the answer is explicit, never a crash and never a silent queue. */
export interface HttpLimits {
  /** Open connections; one more is answered 503 and closed. From 1 to 100,000. @default 10_000 */
  readonly connectionsMax?: number
  /** Bytes of request line and headers together; more is answered 431. From 1 KiB to 64 KiB. @default 16_384 */
  readonly headerBytesMax?: number
  /** Header lines of one request; more is answered 431. From 8 to 1,000. @default 100 */
  readonly headersMax?: number
  /** Bytes of the URL; more is answered 414. From 256 to `headerBytesMax`. @default 8_192 */
  readonly urlBytesMax?: number
  /** Bytes of a body; more is answered 413. From 0 to 1 GiB; a mounted route may ask for less. @default 1_048_576 */
  readonly bodyBytesMax?: number
  /** Requests one connection may carry before it is closed; 0 means any number. @default 0 */
  readonly requestsPerConnectionMax?: number
}

/** Times of the edge, in milliseconds. */
export interface HttpTimeouts {
  /** From the first byte of a connection or request to the end of its headers; then 408. @default 10_000 */
  readonly headersTimeoutMs?: number
  /** From the first byte to the end of the body; then 408. At least `headersTimeoutMs`. @default 30_000 */
  readonly requestTimeoutMs?: number
  /**
   * How long an idle connection is kept between requests. Longer than the pools of usual clients and balancers (60 s),
   * so that they close first and no request meets a closing socket. @default 65_000
   */
  readonly keepAliveTimeoutMs?: number
  /** A connection on which no byte moves for so long, in a request or an answer, is cut. @default 120_000 */
  readonly idleTimeoutMs?: number
  /** What {@link HttpServer.drain} waits for requests under way before it cuts them. @default 10_000 */
  readonly drainTimeoutMs?: number
}

/** Who may read answers from other origins. Off unless given. */
export interface CorsOptions {
  /** Exact origins (`https://shop.example`), or `*` alone, which excludes `allowCredentials`. */
  readonly origins: readonly string[]
  /** Request headers a page may send besides the safelisted. @default authorization, content-type, idempotency-key, if-match, if-none-match, x-timeout-ms, traceparent, last-event-id */
  readonly headers?: readonly string[]
  /** @default false */
  readonly allowCredentials?: boolean
  /** How long a browser keeps a preflight's answer, in seconds. @default 600 */
  readonly maxAgeS?: number
}

/** Where a server listens and what bounds it; every option has a default that is fit for strangers. */
/** A link around every request that passed the server's own checks: the shape that RPC and the bus have too. */
export type HttpMiddleware = Middleware<IncomingMessage, void, ServerResponse>

/** What a server is made of; out of bounds is a `RangeError` naming every option. */
export interface HttpServerOptions {
  /** @default '127.0.0.1' */
  readonly host?: string
  /** 0 takes a free one. @default 8080 */
  readonly port?: number
  readonly limits?: HttpLimits
  readonly timeouts?: HttpTimeouts
  /** Host names this server answers to, without port; others get 421. Empty means any well-formed name. @default [] */
  readonly hosts?: readonly string[]
  /** Addresses or CIDR ranges of proxies whose `x-forwarded-for` is believed. @default [] */
  readonly trustedProxies?: readonly string[]
  readonly cors?: CorsOptions
  /** PEM key and certificate; with them the server speaks TLS 1.2 and later, and sends HSTS. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Around routing, the first outermost. A link that answers itself calls nothing further. @default [] */
  readonly middleware?: readonly HttpMiddleware[]
  /** @default systemClock */
  readonly clock?: Clock
  /** Makes request ids. @default UUIDv7 from the system's randomness */
  readonly ids?: Ids
}

/** The options with every default in place. */
export interface ResolvedHttpServerOptions {
  readonly host: string
  readonly port: number
  readonly limits: Required<HttpLimits>
  readonly timeouts: Required<HttpTimeouts>
  readonly hosts: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly cors: Required<CorsOptions> | undefined
  readonly tls: { readonly key: string; readonly cert: string } | undefined
}

const corsHeaders = [
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'x-timeout-ms',
  'traceparent',
  'last-event-id',
]
const dayMs = 86_400_000

/** @throws RangeError naming every option out of its bounds at once. */
export function resolveHttpServerOptions(options: HttpServerOptions): ResolvedHttpServerOptions {
  const limits = {
    connectionsMax: 10_000,
    headerBytesMax: 16_384,
    headersMax: 100,
    urlBytesMax: 8_192,
    bodyBytesMax: 1_048_576,
    requestsPerConnectionMax: 0,
    ...options.limits,
  }
  const timeouts = {
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    keepAliveTimeoutMs: 65_000,
    idleTimeoutMs: 120_000,
    drainTimeoutMs: 10_000,
    ...options.timeouts,
  }
  const cors = options.cors
    ? { headers: corsHeaders, allowCredentials: false, maxAgeS: 600, ...options.cors }
    : undefined
  const port = options.port ?? 8080
  const problems = [
    outside('port', port, [0, 65_535]),
    outside('limits.connectionsMax', limits.connectionsMax, [1, 100_000]),
    outside('limits.headerBytesMax', limits.headerBytesMax, [1_024, 65_536]),
    outside('limits.headersMax', limits.headersMax, [8, 1_000]),
    outside('limits.urlBytesMax', limits.urlBytesMax, [256, limits.headerBytesMax]),
    outside('limits.bodyBytesMax', limits.bodyBytesMax, [0, 2 ** 30]),
    outside('limits.requestsPerConnectionMax', limits.requestsPerConnectionMax, [0, 2 ** 31 - 1]),
    outside('timeouts.headersTimeoutMs', timeouts.headersTimeoutMs, [10, dayMs]),
    outside('timeouts.requestTimeoutMs', timeouts.requestTimeoutMs, [timeouts.headersTimeoutMs, dayMs]),
    outside('timeouts.keepAliveTimeoutMs', timeouts.keepAliveTimeoutMs, [1, dayMs]),
    outside('timeouts.idleTimeoutMs', timeouts.idleTimeoutMs, [10, dayMs]),
    outside('timeouts.drainTimeoutMs', timeouts.drainTimeoutMs, [0, dayMs]),
    cors?.origins.length === 0 ? 'cors.origins names no origin' : undefined,
    cors?.origins.includes('*') && (cors.allowCredentials || cors.origins.length > 1)
      ? "cors.origins '*' stands alone and excludes allowCredentials"
      : undefined,
  ].filter((problem) => problem !== undefined)
  if (problems.length > 0) throw new RangeError(`Cannot make an HTTP server: ${problems.join('; ')}`)
  return {
    host: options.host ?? '127.0.0.1',
    port,
    limits: Object.freeze(limits),
    timeouts: Object.freeze(timeouts),
    hosts: (options.hosts ?? []).map((name) => name.toLowerCase()),
    trustedProxies: options.trustedProxies ?? [],
    cors,
    tls: options.tls,
  }
}

function outside(name: string, value: number, [min, max]: readonly [number, number]): string | undefined {
  if (Number.isInteger(value) && value >= min && value <= max) return undefined
  return `${name} is an integer from ${min} to ${max}, received ${value}`
}
