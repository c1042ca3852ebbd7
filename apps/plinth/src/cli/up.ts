import { createIds, createSystemRandom, systemClock } from '@plinth/base'
import { catalogContract } from '@plinth/catalog-service/contract'
import { IdentityAdminKey } from '@plinth/identity-service'
import { Admin, type Assembly, clientOf, lifecycleConfig, Metrics, type Running, runApplication } from '@plinth/kernel'
import { createLogger, createStreamSink, flushAtExit, type RootLogger, wantsColors } from '@plinth/telemetry'
import type { Command } from 'commander'
import { createServiceIdentity } from '../host/clients.ts'
import { readClusterSecret } from '../host/cluster-secret.ts'
import { clusterConfig, dataConfig, logConfig } from '../host/config.ts'
import { Edge } from '../host/edge.ts'
import { assembleShop, readTopology, type Topology } from '../host/shop.ts'
import { plinthVersion } from '../plinth-version.ts'
import { isCatalogEmpty, seedCatalog } from '../seed/seed-catalog.ts'
import type { CommandContext } from './command-context.ts'
import { toInteger } from './globals.ts'
import { addHostOptions, type HostOptions, loadHostConfiguration } from './load-host.ts'
import { readPorts, refuseTakenPorts } from './ports.ts'
import { reportFault } from './report.ts'
import { StartTrouble } from './start-trouble.ts'
import { progressBar } from './text.ts'

interface UpOptions extends HostOptions {
  readonly seed: boolean
  readonly httpPort?: number
  readonly grpcPort?: number
  readonly adminPort?: number
}

/** `plinth up`: runs services until it is told to stop. */
export function addUpCommand(program: Command, context: CommandContext): void {
  const port = toInteger({ min: 0, max: 65_535 })
  addHostOptions(
    program
      .command('up')
      .description('run the shop: all services in this process, or the ones named')
      .argument('[services...]', 'identity, catalog, orders, payments, events; all when none is named')
      .option('--http-port <port>', 'port of the API (http.port); 0 takes a free one', port)
      .option('--grpc-port <port>', 'port of gRPC (grpc.port)', port)
      .option('--admin-port <port>', 'port of health and metrics (admin.port)', port),
  )
    .option('--no-seed', 'leave an empty catalogue empty')
    .addHelpText('after', examples)
    .action(async (names: readonly string[], options: UpOptions) => context.exit(await up(names, options, context)))
}

const examples = `
Examples:
  plinth up                                  everything, on 8080 (API), 9090 (gRPC) and 9091 (health, metrics)
  plinth up --http-port 8081 --data /srv/shop
  plinth up --set log.level=debug data.engine=postgres
  plinth up orders payments --peers identity=host:9090 catalog=host:9090 events=host:9090

plinth config explain lists all settings. Ctrl-C stops in good order; a second one stops at once.`

async function up(names: readonly string[], options: UpOptions, context: CommandContext): Promise<number> {
  // Databases, the bus and keys hold what is nobody else's business, hashes of passwords among it.
  process.umask(0o077)
  const configuration = await loadHostConfiguration(withPorts(options), context.environment)
  const { peers, secret } = configuration.section(clusterConfig).current
  const topology = readTopology(names, peers)
  await refuseTakenPorts(readPorts(configuration))
  await using log = createLog(configuration.section(logConfig).current, context)
  using _flush = flushAtExit(log)
  const random = createSystemRandom()
  const clusterSecret = await readClusterSecret(secret, { dir: configuration.section(dataConfig).current.dir, random })
  const ids = createIds({ clock: systemClock, random })
  await using identity = await createServiceIdentity({ secret: clusterSecret, clock: systemClock, ids }, 'plinth')
  const assembly: Assembly = assembleShop({ configuration, log, identity }, topology)
  const reload = () => void configuration.reload().then(logReload(log), logReloadFault(log))
  using _watch = configuration.watch((outcome) =>
    'changes' in outcome ? logReload(log)(outcome) : logReloadFault(log)(outcome),
  )
  const trouble = new StartTrouble()
  const exitCode = await runApplication(assembly, {
    ...configuration.section(lifecycleConfig).current,
    log,
    observer: trouble,
    onReload: reload,
    onStarted: (running) => welcome(running, { topology, options, context, log }),
  })
  const fault = exitCode === 0 ? undefined : trouble.fault
  if (fault === undefined) return exitCode
  // The log has it with all its causes; people get one sentence and the next step, last.
  await log.sink.flush()
  return reportFault(fault, context.terminal({}))
}

function withPorts(options: UpOptions): UpOptions {
  const ports = [
    ['http', options.httpPort],
    ['grpc', options.grpcPort],
    ['admin', options.adminPort],
  ] as const
  const flags = ports.flatMap(([section, port]) => (port === undefined ? [] : [`${section}.port=${port}`]))
  return { ...options, set: [...(options.set ?? []), ...flags] }
}

function createLog(settings: { readonly level: string; readonly format: string }, context: CommandContext): RootLogger {
  const readable = settings.format === 'readable' || (settings.format === 'auto' && process.stdout.isTTY === true)
  return createLogger({
    sink: createStreamSink(1),
    level: settings.level as NonNullable<Parameters<typeof createLogger>[0]['level']>,
    format: readable ? 'readable' : 'json',
    colors: readable && wantsColors(process.stdout, context.environment),
  })
}

const logReload =
  (log: RootLogger) => (outcome: { readonly version: number; readonly changes: readonly unknown[] }) => {
    if (outcome.changes.length > 0) log.info('config_reloaded', { version: outcome.version, changes: outcome.changes })
  }

const logReloadFault = (log: RootLogger) => (error: unknown) => log.warn('config_not_reloaded', { error })

interface Welcome {
  readonly topology: Topology
  readonly options: UpOptions
  readonly context: CommandContext
  readonly log: RootLogger
}

/** What has to happen once before the first customer comes, and where they find the shop. */
async function welcome(running: Running, { topology, options, context, log }: Welcome): Promise<void> {
  const terminal = context.terminal({})
  const edge = running.get(Edge)
  const admin = running.get(Admin).address
  let operatorFile = ''
  if (topology.local.has('identity')) {
    const operator = await running.get(IdentityAdminKey).ensureOperator()
    operatorFile = operator.file
    if (operator.created) log.info('operator_created', { file: operator.file })
  }
  if (topology.local.has('catalog') && options.seed) await seedOnce(running, context, log)
  const adminUrl = `http://${admin.host}:${admin.port}`
  describeShop(running, topology)
  log.info('shop_open', { url: edge.http.url, grpc: edge.grpc, admin: adminUrl, services: [...topology.local] })
  const { bold, dim } = terminal.style
  const lines = [
    '',
    `  ${bold('Plinth is open')}   ${[...topology.local].join(', ')}`,
    '',
    `  API        ${edge.http.url}/v1/products`,
    `  Reference  ${edge.http.url}/docs`,
    `  gRPC       ${edge.grpc}`,
    `  Health     ${adminUrl}/readyz`,
    `  Metrics    ${adminUrl}/metrics`,
    ...(operatorFile === '' ? [] : [`  Operator   ${dim(`credentials in ${operatorFile}`)}`]),
    '',
    `  ${dim('Ctrl-C stops it in good order.')}`,
    '',
  ]
  terminal.note(lines.join('\n'))
}

/** Lets `plinth status` read off the metrics what runs here, and where. */
function describeShop(running: Running, { local }: Topology): void {
  const { http, grpc } = running.get(Edge)
  running
    .get(Metrics)
    .gauge({
      name: 'plinth_info',
      help: 'What runs in this process and where it is reached; the value is always 1.',
      labels: ['version', 'services', 'http', 'grpc'],
    })
    .labels({ version: plinthVersion(), services: [...local].join(','), http: http.url, grpc })
    .set(1)
}

async function seedOnce(running: Running, context: CommandContext, log: RootLogger): Promise<void> {
  const catalog = running.get(clientOf(catalogContract))
  if (!(await isCatalogEmpty(catalog))) return
  const terminal = context.terminal({})
  const startMs = systemClock.monotonicMs()
  const totals = await seedCatalog(catalog, {
    onProgress: ({ done, total }) =>
      terminal.progress(
        `loading the catalogue: ${progressBar({ done, total, tookMs: systemClock.monotonicMs() - startMs })}`,
      ),
  })
  terminal.done()
  log.info('catalog_seeded', totals)
}
