import { Server, ServerCredentials } from '@grpc/grpc-js'
import { type Clock, PlatformError, systemClock } from '@plinth/base'
import type { Dispatcher } from '../dispatch.ts'
import { drainingError } from '../faults.ts'
import { type HealthPort, serveHealth } from './health.ts'
import { serveReflection } from './reflection.ts'
import { isEndless, type ServedCalls, serveMethod } from './serve-methods.ts'
import { silenceGrpc } from './silence-grpc.ts'

/** Where a gRPC server listens and what it allows; each limit has its default. */
export interface GrpcServerOptions {
  /** @default '127.0.0.1' */
  readonly host?: string
  /** 0 lets the system choose. */
  readonly port: number
  /** PEM. With `clientCa`, callers must show a certificate it signed. @default plain HTTP/2 */
  readonly tls?: { readonly key: string; readonly certificate: string; readonly clientCa?: string }
  readonly limits?: {
    /** Largest message that is read at all, in bytes; methods set their own below it. @default 16 MiB */
    readonly messageBytesMax?: number
    /** Calls under way on one connection. @default 1000 */
    readonly callsPerConnectionMax?: number
  }
  readonly keepalive?: {
    /** Asks a silent connection for a sign of life. @default 30000 */
    readonly intervalMs?: number
    /** Closes it when none comes. @default 10000 */
    readonly timeoutMs?: number
    /** Closes a connection without calls. @default 300000 */
    readonly idleMs?: number
  }
  /** Asks clients to connect anew after this time (10 % jitter), so that load spreads over new servers. @default 1800000 */
  readonly maxConnectionAgeMs?: number
  /** Serves `grpc.health.v1`. @default every served service is serving until the server drains */
  readonly health?: HealthPort
  /** Tells anyone who asks what is served (`grpc.reflection.v1` and `v1alpha`). @default true */
  readonly reflection?: boolean
  /** @default systemClock */
  readonly clock?: Clock
}

/** A gRPC server that is listening. */
export interface GrpcServer extends AsyncDisposable {
  /** `host:port` as bound. */
  readonly address: string
  readonly port: number
  /** How many calls are under way. */
  readonly openCalls: number
  /**
   * Takes no new calls, lets those under way finish, then closes. Settles when the last one has ended. What a server
   * streams may go on for ever, so such calls end at once with `rpc.draining`, which asks to connect again.
   */
  drain(): Promise<void>
  /** Ends all calls with `rpc.server_closing` and closes. */
  close(): Promise<void>
}

/**
 * Serves a dispatcher over gRPC, with health and reflection. Resolves once the port is bound.
 *
 * @throws PlatformError `rpc.port_unavailable` when the port is taken or may not be used.
 */
export async function createGrpcServer(dispatcher: Dispatcher, options: GrpcServerOptions): Promise<GrpcServer> {
  silenceGrpc()
  const host = options.host ?? '127.0.0.1'
  const server = new Server(channelOptions(options))
  const calls: ServedCalls = { clock: options.clock ?? systemClock, open: new Set(), draining: false }
  for (const bound of dispatcher.methods.values()) serveMethod(server, bound, calls)
  const health = serveHealth(server, dispatcher.services, options.health)
  const reflection = options.reflection === false ? undefined : serveReflection(server, dispatcher.services)
  const port = await bind(server, `${host.includes(':') ? `[${host}]` : host}:${options.port}`, options)
  return new RunningServer({ server, calls, address: `${host}:${port}`, port, stop: [health, reflection] })
}

function channelOptions(options: GrpcServerOptions) {
  const { limits, keepalive } = options
  return {
    'grpc.max_receive_message_length': limits?.messageBytesMax ?? 16 * 1024 * 1024,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits?.callsPerConnectionMax ?? 1000,
    'grpc.keepalive_time_ms': keepalive?.intervalMs ?? 30_000,
    'grpc.keepalive_timeout_ms': keepalive?.timeoutMs ?? 10_000,
    'grpc.max_connection_idle_ms': keepalive?.idleMs ?? 300_000,
    'grpc.max_connection_age_ms': options.maxConnectionAgeMs ?? 1_800_000,
    'grpc.max_connection_age_grace_ms': 60_000,
    'grpc.enable_channelz': 0,
  }
}

function bind(server: Server, address: string, options: GrpcServerOptions): Promise<number> {
  const { tls } = options
  const credentials = tls
    ? ServerCredentials.createSsl(
        tls.clientCa === undefined ? null : Buffer.from(tls.clientCa),
        [{ private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) }],
        tls.clientCa !== undefined,
      )
    : ServerCredentials.createInsecure()
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (!error) return resolve(port)
      reject(
        new PlatformError(`Cannot listen on ${address}: ${error.message}`, {
          kind: 'unavailable',
          code: 'rpc.port_unavailable',
          cause: error,
        }),
      )
    })
  })
}

interface Running {
  readonly server: Server
  readonly calls: ServedCalls
  readonly address: string
  readonly port: number
  /** Endless streams of our own that no drain could wait for. */
  readonly stop: readonly ({ stop(): void } | undefined)[]
}

class RunningServer implements GrpcServer {
  readonly #running: Running
  #drained: Promise<void> | undefined

  constructor(running: Running) {
    this.#running = running
  }

  get address(): string {
    return this.#running.address
  }

  get port(): number {
    return this.#running.port
  }

  get openCalls(): number {
    return this.#running.calls.open.size
  }

  drain(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      const { calls, stop } = this.#running
      for (const part of stop) part?.stop()
      calls.draining = true
      for (const call of calls.open) if (isEndless(call)) call.cancel(drainingError())
      // It fails only for a server that is closed already, which is what was asked for.
      this.#running.server.tryShutdown(() => resolve())
    })
    return this.#drained
  }

  async close(): Promise<void> {
    const drained = this.drain()
    const closing = new PlatformError('The server is closing', { kind: 'unavailable', code: 'rpc.server_closing' })
    for (const call of this.#running.calls.open) call.cancel(closing)
    // Answers that are on their way out get one turn of the event loop; then connections are cut.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    this.#running.server.forceShutdown()
    await drained
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
