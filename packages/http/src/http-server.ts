import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type Clock, createIds, createSystemRandom, fromUnknown, PlatformError, systemClock } from '@plinth/base'
import { compose } from '@plinth/concurrency'
import fastify, { type FastifyInstance } from 'fastify'
import { requestChannel } from './announcements.ts'
import { type Answerer, createAnswerer, requestIdOf, routeOf, setRequestId, setRoute } from './answer.ts'
import { onClientError, refuseSocket } from './client-error.ts'
import { createConnections } from './connections.ts'
import { createCors } from './cors.ts'
import { httpError } from './http-errors.ts'
import {
  type HttpMiddleware,
  type HttpServerOptions,
  type ResolvedHttpServerOptions,
  resolveHttpServerOptions,
} from './http-server-options.ts'
import { createRouteMap } from './route-map.ts'
import { type SecurityHeaders, securityHeaders } from './security-headers.ts'
import { createTargetCheck } from './target-check.ts'

/** Where a server listens. */
export interface HttpAddress {
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:8080` */
  readonly url: string
}

/** What a drain came to. */
export interface DrainReport {
  /** Whether every request under way was answered in time. */
  readonly complete: boolean
  /** Requests cut at the deadline. */
  readonly cut: number
  readonly durationMs: number
}

/** A hardened HTTP server. Routes are added to `fastify` before `listen()`. */
export interface HttpServer extends AsyncDisposable {
  /** For routes, plugins and `inject()` in tests; its own `listen` and `close` are not to be called. */
  readonly fastify: FastifyInstance
  /** Writes answers past Fastify's reply, for handlers that have called `reply.hijack()`. */
  readonly answers: Answerer
  readonly limits: ResolvedHttpServerOptions['limits']
  readonly clock: Clock
  /** Open connections now. */
  readonly connections: number
  /** Requests under way now. */
  readonly underWay: number
  /** Aborts when draining begins: what would stream for hours ends itself in good order. */
  readonly draining: AbortSignal
  /** Adds to what `Allow` says of a path, for routes that Fastify does not know one by one. */
  addAllowedMethods(source: (path: string) => readonly string[]): void
  /** @throws PlatformError of kind `unavailable`, `http.listen_failed`, when the address is taken or not ours. */
  listen(): Promise<HttpAddress>
  /**
   * Stops accepting, closes idle connections at once, answers what is under way with `Connection: close`, and cuts
   * what is left after the deadline. Calling it again joins the first. Flip readiness first, and wait for balancers.
   */
  drain(options?: { readonly deadlineMs?: number }): Promise<DrainReport>
  /** Cuts every connection now and frees everything. Without a {@link drain} before it, answers under way are lost. */
  close(): Promise<void>
}

const requestIdForm = /^[A-Za-z0-9._-]{1,64}$/

/**
 * Makes a server with every limit, timeout and header in place; nothing listens before `listen()`.
 *
 * @throws RangeError naming every option out of its bounds.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createHttpServer } from '@plinth/http'
 *
 * await using server = createHttpServer({ port: 0 })
 * server.fastify.get('/hello', async () => ({ hello: 'world' }))
 * const { url } = await server.listen()
 * const answer = await fetch(`${url}/hello`)
 * assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
 * ```
 */
export function createHttpServer(options: HttpServerOptions = {}): HttpServer {
  return new EdgeServer(resolveHttpServerOptions(options), options)
}

class EdgeServer implements HttpServer {
  readonly fastify: FastifyInstance
  readonly answers: Answerer
  readonly limits: ResolvedHttpServerOptions['limits']
  readonly clock: Clock
  readonly #options: ResolvedHttpServerOptions
  readonly #security: SecurityHeaders
  readonly #connections = createConnections()
  readonly #routes = createRouteMap()
  readonly #drain = new AbortController()
  #drained: Promise<DrainReport> | undefined
  #closed: Promise<void> | undefined

  constructor(options: ResolvedHttpServerOptions, deps: HttpServerOptions) {
    this.#options = options
    this.limits = options.limits
    this.clock = deps.clock ?? systemClock
    this.#security = securityHeaders({ overTls: options.tls !== undefined })
    this.answers = createAnswerer(this.#security)
    const ids = deps.ids ?? createIds({ clock: this.clock, random: createSystemRandom() })
    this.fastify = this.#createFastify(() => ids.next(), deps.middleware ?? [])
  }

  get connections(): number {
    return this.#connections.open
  }

  get underWay(): number {
    return this.#connections.underWay
  }

  get draining(): AbortSignal {
    return this.#drain.signal
  }

  addAllowedMethods(source: (path: string) => readonly string[]): void {
    this.#routes.addSource(source)
  }

  async listen(): Promise<HttpAddress> {
    const { host, port, tls } = this.#options
    try {
      await this.fastify.listen({ host, port, backlog: 1024 })
    } catch (cause) {
      const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
      throw httpError('http.listen_failed', `Cannot listen on ${host}:${port}: ${why}`, {
        details: { host, port, why },
        cause,
      })
    }
    const bound = (this.fastify.server.address() as AddressInfo).port
    const name = host.includes(':') ? `[${host}]` : host
    return { host, port: bound, url: `${tls ? 'https' : 'http'}://${name}:${bound}` }
  }

  drain(options: { readonly deadlineMs?: number } = {}): Promise<DrainReport> {
    this.#drained ??= this.#runDrain(options.deadlineMs ?? this.#options.timeouts.drainTimeoutMs)
    return this.#drained
  }

  close(): Promise<void> {
    this.#closed ??= this.#runClose()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #runDrain(deadlineMs: number): Promise<DrainReport> {
    const startedMs = this.clock.monotonicMs()
    const late = Promise.withResolvers<'late'>()
    using _timer = this.clock.setTimer(() => late.resolve('late'), deadlineMs)
    this.#drain.abort()
    if (this.fastify.server.listening) this.fastify.server.close()
    const outcome = await Promise.race([this.#connections.finish(), late.promise])
    const cut = outcome === 'late' ? this.#connections.cut() : 0
    return { complete: cut === 0, cut, durationMs: this.clock.monotonicMs() - startedMs }
  }

  async #runClose(): Promise<void> {
    this.#drain.abort()
    // Fastify's own close waits for keep-alive connections to time out (fastify#7044), so they go first.
    if (this.fastify.server.listening) this.fastify.server.close()
    this.#connections.cut()
    await this.fastify.close()
  }

  #createFastify(nextId: () => string, chain: readonly HttpMiddleware[]): FastifyInstance {
    const { limits, tls, trustedProxies } = this.#options
    const app = fastify({
      logger: false,
      bodyLimit: Math.max(1, limits.bodyBytesMax),
      trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
      forceCloseConnections: false,
      return503OnClosing: false,
      requestIdHeader: false,
      genReqId: (request) => requestIdOf((request as WithAnswer)[answerKey]),
      routerOptions: { maxParamLength: limits.headerBytesMax },
      serverFactory: (handler) => {
        const routed = compose(chain, handler as NodeHandler)
        const entry = this.#createEntry(routed, nextId)
        return this.#configure(
          tls
            ? createTlsServer(
                { ...this.#nodeOptions(), ...tls, handshakeTimeout: this.#options.timeouts.headersTimeoutMs },
                entry,
              )
            : createServer(this.#nodeOptions(), entry),
        )
      },
      clientErrorHandler: (error, socket) =>
        onClientError(error as NodeJS.ErrnoException, socket as Socket, this.#security),
      frameworkErrors: (_error, _request, reply) => {
        reply.hijack()
        this.answers.sendProblem(reply.raw, httpError('http.malformed', 'The path is not well-formed'))
      },
    }) as unknown as FastifyInstance
    app.addHook('onRoute', (route) => this.#routes.add(route))
    app.addHook('onSend', (request, reply, payload, done) => {
      setRoute(reply.raw, request.routeOptions.url ?? '')
      const type = reply.getHeader('content-type')
      const isPage = typeof type === 'string' && type.startsWith('text/html')
      const headers = isPage ? this.#security.page : this.#security.api
      for (let at = 0; at < headers.length; at += 2) {
        const name = headers[at] as string
        if (!reply.hasHeader(name)) reply.header(name, headers[at + 1])
      }
      reply.header('x-request-id', requestIdOf(reply.raw))
      done(null, payload)
    })
    app.setErrorHandler((error, request, reply) => {
      reply.hijack()
      setRoute(reply.raw, request.routeOptions.url ?? '')
      this.answers.sendProblem(reply.raw, faultOf(error))
    })
    app.setNotFoundHandler((request, reply) => {
      reply.hijack()
      const allowed = this.#routes.allowed(request.raw.url as string)
      if (allowed.length === 0) {
        this.answers.sendProblem(reply.raw, httpError('http.not_found', 'Nothing is served at this path'))
      } else if (request.method === 'OPTIONS') {
        this.answers.send(reply.raw, 204, ['allow', allowed.join(', ')], '')
      } else {
        const error = httpError('http.method_not_allowed', `This path does not take ${request.method}`)
        this.answers.sendProblem(reply.raw, error, ['allow', allowed.join(', ')])
      }
    })
    return app
  }

  /** Everything that precedes routing, in one function of its own before Fastify sees the request. */
  #createEntry(handler: NodeHandler, nextId: () => string): NodeHandler {
    const check = createTargetCheck({ hosts: this.#options.hosts, ...this.limits })
    const applyCors = this.#options.cors ? createCors(this.#options.cors) : undefined
    return (request, response) => {
      if (refusedSockets.has(request.socket)) return
      const brought = request.headers['x-request-id']
      setRequestId(response, typeof brought === 'string' && requestIdForm.test(brought) ? brought : nextId())
      ;(request as WithAnswer)[answerKey] = response
      this.#connections.began(response)
      if (requestChannel.hasSubscribers) this.#announce(request, response)
      const refused = check(request)
      if (refused) {
        response.shouldKeepAlive = false
        this.answers.sendProblem(response, refused)
        return
      }
      if (applyCors?.(request, response)) return
      if (request.url === '*') {
        this.answers.send(response, 204, [], '')
        return
      }
      handler(request, response)
    }
  }

  #announce(request: IncomingMessage, response: ServerResponse): void {
    const startedMs = this.clock.monotonicMs()
    const peer = request.socket.remoteAddress ?? ''
    response.once('close', () => {
      const url = request.url as string
      const query = url.indexOf('?')
      requestChannel.publish({
        requestId: requestIdOf(response),
        method: request.method as string,
        path: query < 0 ? url : url.slice(0, query),
        route: routeOf(response),
        status: response.writableFinished ? response.statusCode : 499,
        durationMs: this.clock.monotonicMs() - startedMs,
        peer,
        userAgent: request.headers['user-agent'] ?? '',
      })
    })
  }

  #nodeOptions() {
    const { limits, timeouts } = this.#options
    return {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: timeouts.headersTimeoutMs,
      requestTimeout: timeouts.requestTimeoutMs,
      keepAliveTimeout: timeouts.keepAliveTimeoutMs,
      // How late a slow request may be found out.
      connectionsCheckingInterval: Math.min(1_000, Math.ceil(timeouts.headersTimeoutMs / 2)),
      // Checked by ourselves, so that the answer is a problem document too.
      requireHostHeader: false,
      insecureHTTPParser: false,
    }
  }

  #configure(server: Server): Server {
    const { limits, timeouts } = this.#options
    // One more than allowed, or Node would drop the surplus in silence before it can be refused.
    server.maxHeadersCount = limits.headersMax + 1
    server.maxRequestsPerSocket = limits.requestsPerConnectionMax
    server.timeout = timeouts.idleTimeoutMs
    // Past twice the limit not even the refusal is worth a socket.
    server.maxConnections = limits.connectionsMax * 2
    server.on(this.#options.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      if (this.#connections.open < limits.connectionsMax) {
        this.#connections.opened(socket)
        return
      }
      refusedSockets.add(socket)
      const error = httpError('http.connections_exhausted', 'The server has as many connections as it takes', {
        retryAfterMs: 1_000,
      })
      refuseSocket(socket, error, this.#security)
    })
    return server
  }
}

type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void

const answerKey = Symbol('plinth.answer')
type WithAnswer = IncomingMessage & { [answerKey]: ServerResponse }

/** Connections that have been told to go away, whose late bytes are not requests any more. */
const refusedSockets = new WeakSet<Socket>()

/** Fastify's own refusals carry a status; everything else is a fault like any other. */
function faultOf(error: unknown): PlatformError {
  if (PlatformError.is(error)) return error
  switch ((error as { statusCode?: unknown } | undefined)?.statusCode) {
    case 400:
      return httpError('http.malformed', 'The request cannot be read')
    case 413:
      return httpError('http.body_too_large', 'The body is too large')
    case 415:
      return httpError('http.media_type', 'The media type of the body is not one this path reads')
    default:
      return fromUnknown(error)
  }
}
