import { errorKinds, PlatformError, systemClock } from '@plinth/base'
import { adminConfig } from '@plinth/kernel'
import { createClient, createGrpcTransport } from '@plinth/rpc/client'
import { Health, HealthCheckResponse_ServingStatus } from '@plinth/rpc/contract/grpc/health/v1/health_pb.js'
import type { Command } from 'commander'
import { grpcConfig } from '../host/config.ts'
import { serviceNames, services } from '../host/services.ts'
import { type AdminAddress, askShop, type ShopFacts } from './admin-client.ts'
import type { CommandContext } from './command-context.ts'
import type { GlobalOptions } from './globals.ts'
import { addHostOptions, type HostOptions, loadHostConfiguration } from './load-host.ts'
import { parseServer } from './remote/remote.ts'
import type { Terminal } from './terminal.ts'
import { clean, duration } from './text.ts'

interface StatusOptions extends HostOptions {
  readonly admin?: string
}

/** A service by what gRPC says of its contracts. */
interface ServiceStatus {
  readonly service: string
  readonly serving: boolean
}

/** `plinth status`. */
export function addStatusCommand(program: Command, context: CommandContext): void {
  addHostOptions(
    program
      .command('status')
      .description('tell how a running shop is: health with reasons, services, addresses')
      .option('--admin <host:port>', 'its admin server (default: as configured here)'),
  )
    .addHelpText('after', '\nThe exit code is 0 when the shop is ready, and 21 when it is not or none is there.')
    .action(async (options: StatusOptions, command: Command) => {
      const globals = command.optsWithGlobals<GlobalOptions>()
      const terminal = context.terminal(globals)
      const configuration = await loadHostConfiguration(options, context.environment)
      const { host, port } = configuration.section(adminConfig).current
      const admin = options.admin === undefined ? { host, port } : parseServer(options.admin)
      const facts = await askShop(admin, context.signal)
      const grpc = configuration.section(grpcConfig).current
      const server = globals.server ?? (facts?.grpc || `${grpc.host}:${grpc.port}`)
      const found = await askServices(server, context.signal)
      const isReady = facts?.health.ready === true && found.some(({ serving }) => serving)
      terminal.answer(
        statusJson({ facts, found, server, admin, isReady }),
        () => statusLines({ facts, found, server, admin, isReady }, terminal),
        () => [isReady ? 'ready' : 'down'],
      )
      if (!isReady) context.exit(errorKinds.unavailable.exit)
    })
}

interface Status {
  readonly facts: ShopFacts | undefined
  readonly found: readonly ServiceStatus[]
  readonly server: string
  readonly admin: AdminAddress
  readonly isReady: boolean
}

function statusJson({ facts, found, server, admin, isReady }: Status) {
  return {
    status: isReady ? 'ready' : facts === undefined ? 'down' : 'not_ready',
    version: facts?.version,
    uptimeMs: uptimeMs(facts),
    addresses: { http: facts?.http, grpc: server, admin: `http://${admin.host}:${admin.port}` },
    health: facts?.health,
    services: found,
  }
}

function uptimeMs(facts: ShopFacts | undefined): number | undefined {
  return facts?.startedAtMs === undefined ? undefined : Math.max(0, Math.round(systemClock.nowMs() - facts.startedAtMs))
}

function statusLines({ facts, found, server, admin, isReady }: Status, terminal: Terminal): readonly string[] {
  const { bold, dim, green, red } = terminal.style
  const address = `http://${admin.host}:${admin.port}`
  if (facts === undefined) {
    return [
      `${red('down')}  no shop answers at ${address}`,
      `${bold('next')}  plinth up, or name another with --admin host:port`,
    ]
  }
  const up = uptimeMs(facts)
  const facts2 = [facts.version && `plinth ${clean(facts.version)}`, up !== undefined && `up for ${duration(up)}`]
  const failing = facts.health.checks.filter(({ ok }) => !ok)
  return [
    `${isReady ? green('ready') : red('not ready')}  ${dim(facts2.filter(Boolean).join(', '))}`,
    ...facts.health.reasons.map((reason) => `  ${red('!')} ${clean(reason)}`),
    '',
    ...found.map(({ service, serving }) => `  ${serving ? green('serving') : red('away   ')}  ${service}`),
    '',
    ...(facts.http === '' ? [] : [`  ${dim('API  ')}  ${clean(facts.http)}`]),
    `  ${dim('gRPC ')}  ${server}`,
    `  ${dim('admin')}  ${address}`,
    `  ${dim('checks')} ${facts.health.checks.length - failing.length} of ${facts.health.checks.length} ok`,
  ]
}

/** Which services a server has, and whether they answer; none when nobody is there. */
async function askServices(address: string, signal: AbortSignal): Promise<readonly ServiceStatus[]> {
  parseServer(address)
  await using transport = createGrpcTransport({ address, connectTimeoutMs: 1000, clock: systemClock })
  const health = createClient(Health, transport)
  const isServing = async (service: string): Promise<boolean | undefined> => {
    try {
      const { status } = await health.check({ service }, { timeoutMs: 2000, signal })
      return status === HealthCheckResponse_ServingStatus.SERVING
    } catch (error) {
      signal.throwIfAborted()
      return PlatformError.is(error) && error.kind === 'not_found' ? undefined : false
    }
  }
  const found = await Promise.all(
    serviceNames.map(async (service) => {
      const answers = await Promise.all(services[service].contracts.map((each) => isServing(each.service.typeName)))
      // A service that the server does not know runs elsewhere.
      return answers.every((answer) => answer === undefined)
        ? undefined
        : { service, serving: answers.every((answer) => answer !== false) }
    }),
  )
  return found.filter((each) => each !== undefined)
}
