import { connect } from 'node:net'
import type { DescService } from '@bufbuild/protobuf'
import { createIds, createSystemRandom, PlatformError, systemClock } from '@plinth/base'
import { AuthService } from '@plinth/identity-service/contract'
import { type Client, createClient, createGrpcTransport, type Transport } from '@plinth/rpc/client'
import type { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import type { GlobalOptions } from '../globals.ts'
import type { Terminal } from '../terminal.ts'
import { credentialsPath, openCredentials } from './credentials.ts'
import { createSession, type Session } from './session.ts'
import { createSessionTransport } from './session-transport.ts'

/** Where a shop is unless said otherwise. */
const defaultServer = '127.0.0.1:9090'

/** Time for a call unless said otherwise. */
const defaultTimeoutMs = 30_000

/** A shop as a command uses it. */
export interface Remote {
  readonly server: string
  readonly terminal: Terminal
  readonly session: Session
  readonly signal: AbortSignal
  /** Calls as nobody, for logging in. */
  readonly auth: Client<typeof AuthService>
  /** Calls as whoever is logged in. */
  client<S extends DescService>(service: S): Client<S>
}

/**
 * Lets a command use the shop at `--server`, and ends the connection with it.
 *
 * @throws PlatformError `plinth.server_invalid` (invalid), `plinth.server_unreachable` (unavailable).
 */
export async function withRemote(
  { command, context }: { readonly command: Command; readonly context: CommandContext },
  work: (remote: Remote) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>()
  const server = options.server ?? defaultServer
  const { signal } = context
  await knock(server, signal)
  const random = createSystemRandom()
  const clock = systemClock
  await using transport = createGrpcTransport({ address: server, clock, connectTimeoutMs: 3000 })
  const timeoutMs = options.timeout ?? defaultTimeoutMs
  const idempotencyKey = options.idempotencyKey ?? createIds({ clock, random }).next()
  const auth = createClient(AuthService, withDefaults(transport, { timeoutMs, signal }))
  const credentials = openCredentials({ clock, random }, credentialsPath(context.environment))
  const fixedToken = context.environment.PLINTH_TOKEN || undefined
  const session = createSession({ credentials, auth, clock, fixedToken }, { server, name: options.as ?? 'default' })
  const calls = createSessionTransport(transport, { session, signal, timeoutMs, idempotencyKey, clock, random })
  await work({
    server,
    terminal: context.terminal(options),
    session,
    signal,
    auth,
    client: (service) => createClient(service, calls),
  })
}

function withDefaults(
  transport: Transport,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Transport {
  return {
    unary: (method, request, options) => transport.unary(method, request, { timeoutMs, signal, ...options }),
    stream: (method, requests, options) => transport.stream(method, requests, { signal, ...options }),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

const knockTimeoutMs = 3000

/** Finds out at once when nobody listens: gRPC itself would keep trying for seconds. */
async function knock(server: string, signal: AbortSignal): Promise<void> {
  const { host, port } = parseServer(server)
  const socket = connect({ host, port, timeout: knockTimeoutMs, signal })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
      socket.once('timeout', () => reject(new Error(`no answer within ${knockTimeoutMs / 1000} s`)))
    })
  } catch (error) {
    if (signal.aborted) throw error
    // Somebody took the connection and dropped it: the call itself finds out more, and is tried again.
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return
    throw new PlatformError(`Cannot reach the shop at ${server}: ${whyOf(error)}`, {
      kind: 'unavailable',
      code: 'plinth.server_unreachable',
      cause: error,
    })
  } finally {
    socket.destroy()
  }
}

function whyOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ECONNREFUSED') return 'nobody listens there'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name does not resolve'
  return (error as Error).message
}

/**
 * Host and port of `host:port` or `[v6]:port`.
 *
 * @throws PlatformError `plinth.server_invalid` (invalid).
 */
export function parseServer(server: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(server)
  const port = Number(match?.[3])
  if (!match || port < 1 || port > 65_535) {
    throw new PlatformError(`Cannot use the server "${server}": say host:port of its gRPC edge, as 127.0.0.1:9090`, {
      kind: 'invalid',
      code: 'plinth.server_invalid',
    })
  }
  return { host: match[1] ?? match[2] ?? '', port }
}
