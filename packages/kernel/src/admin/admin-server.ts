import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ConfigValueOf } from '../config/define-config.ts'
import type { HealthRegistry } from '../health/health-registry.ts'
import { configOf, Metrics } from '../keys.ts'
import { key } from '../wiring/key.ts'
import { defineModule } from '../wiring/module.ts'
import { adminConfig } from './admin-config.ts'

/** Text as an answer of the admin server. */
export interface AdminText {
  readonly contentType: string
  readonly body: string
}

interface AdminDeps {
  readonly health: HealthRegistry
  /** The metrics in the format that suits the `Accept` header. */
  readonly expose: (accept: string | undefined) => AdminText
}

/** A listening admin server. */
export interface AdminServer extends AsyncDisposable {
  /** With the port that was taken when 0 was configured. */
  readonly address: { readonly host: string; readonly port: number }
}

/** The key of the running admin server. */
export const Admin = key<AdminServer>()('admin')

type Answer = { readonly status: number; readonly text: AdminText; readonly headers?: Readonly<Record<string, string>> }
type Route = (request: IncomingMessage) => Promise<Answer> | Answer

/**
 * Serves `/healthz` (live), `/readyz`, `/startupz` and `/metrics` to probes and scrapers: GET and HEAD only, no bodies,
 * few connections. Health answers are JSON with the reasons, 200 or 503.
 *
 * It has no access control of its own, so it listens on the loopback address unless told otherwise.
 */
export async function listenAdmin(deps: AdminDeps, options: ConfigValueOf<typeof adminConfig>): Promise<AdminServer> {
  const routes = new Map<string, Route>([
    ['/healthz', async () => healthAnswer(await deps.health.liveness(), ({ live }) => live)],
    ['/readyz', async () => healthAnswer(await deps.health.report(), ({ ready }) => ready)],
    ['/startupz', async () => healthAnswer(await deps.health.liveness(), ({ started }) => started)],
    ['/metrics', (request) => ({ status: 200, text: deps.expose(request.headers.accept) })],
  ])
  const server = createServer(
    {
      requestTimeout: options.requestTimeoutMs,
      headersTimeout: options.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, options.requestTimeoutMs),
      keepAliveTimeout: 5000,
      maxHeaderSize: options.headerBytesMax,
      requireHostHeader: true,
    },
    (request, response) => void answer(routes, request, response),
  )
  server.maxConnections = options.connectionsMax
  server.maxHeadersCount = 64
  await listen(server, options)
  const { address, port } = server.address() as AddressInfo
  return {
    address: { host: address, port },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // Probes are short: whoever is still connected only keeps the connection for later.
      server.closeAllConnections()
      await closed
    },
  }
}

/** The admin server as a module. It starts early and answers all through the drain, so that probes see both. */
export const adminModule = defineModule({
  name: 'admin',
  needs: { config: configOf(adminConfig), metrics: Metrics },
  provides: { server: Admin },
  async start({ config, metrics }, context) {
    const expose = (accept: string | undefined) => metrics.expose(accept)
    const server = await listenAdmin({ health: context.health, expose }, config.current)
    return { provides: { server }, stop: () => server[Symbol.asyncDispose]() }
  },
})

function listen(server: Server, options: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function answer(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, text, headers } = await answerOf(routes, request)
  const body = Buffer.from(text.body)
  // An answer to a request whose body nobody reads has to be the last on its connection.
  const last = hasBody(request) ? { connection: 'close' } : {}
  response.writeHead(status, {
    'content-type': text.contentType,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
    ...last,
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function answerOf(routes: ReadonlyMap<string, Route>, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '').split('?', 1)[0] as string
  const route = routes.get(path)
  if (!route) return plain(404, `Not here; there are ${[...routes.keys()].join(', ')}`)
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { ...plain(405, 'Only GET and HEAD'), headers: { allow: 'GET, HEAD' } }
  if (hasBody(request)) return plain(413, 'No body is taken')
  try {
    return await route(request)
  } catch {
    // A probe gets an answer whatever happens; a metric that throws is counted by the registry itself.
    return plain(500, 'Cannot answer')
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

function healthAnswer<Report>(report: Report, isGood: (report: Report) => boolean): Answer {
  const body = `${JSON.stringify(report)}\n`
  return { status: isGood(report) ? 200 : 503, text: { contentType: 'application/json; charset=utf-8', body } }
}

function plain(status: number, message: string): Answer {
  return { status, text: { contentType: 'text/plain; charset=utf-8', body: `${message}\n` } }
}
