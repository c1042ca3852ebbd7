import { createIds, createSystemRandom, systemClock } from '@plinth/base'
import { catalogContract } from '@plinth/catalog-service/contract'
import { IdentityAdminKey } from '@plinth/identity-service'
import { Admin, type Assembly, clientOf, lifecycleConfig, type Running, runApplication } from '@plinth/kernel'
import { createLogger, createStreamSink, flushAtExit, type RootLogger, wantsColors } from '@plinth/telemetry'
import type { Command } from 'commander'
import { createServiceIdentity } from '../host/clients.ts'
import { readClusterSecret } from '../host/cluster-secret.ts'
import { clusterConfig, dataConfig, logConfig } from '../host/config.ts'
import { Edge } from '../host/edge.ts'
import { assembleShop, readTopology, type Topology } from '../host/shop.ts'
import { isCatalogEmpty, seedCatalog } from '../seed/seed-catalog.ts'
import type { CommandContext } from './command-context.ts'
import { type HostOptions, loadHostConfiguration } from './load-host.ts'

interface UpOptions extends HostOptions {
  readonly seed: boolean
}

/** `plinth up`: runs services until it is told to stop. */
export function addUpCommand(program: Command, context: CommandContext): void {
  program
    .command('up')
    .description('run the shop: all services in this process, or the ones named')
    .argument('[services...]', 'identity, catalog, orders, payments, events; all when none is named')
    .option('--peers <service=host:port...>', 'where the other services are (their gRPC address)')
    .option('--data <folder>', 'folder of databases, log and keys (data.dir)')
    .option('--config <file...>', 'configuration files, YAML, JSON or TOML; later ones win')
    .option('--set <section.field=value...>', 'single settings')
    .option('--no-seed', 'leave an empty catalogue empty')
    .action(async (names: readonly string[], options: UpOptions) => context.exit(await up(names, options, context)))
}

async function up(names: readonly string[], options: UpOptions, context: CommandContext): Promise<number> {
  const configuration = await loadHostConfiguration(options, context.environment)
  const { peers, secret } = configuration.section(clusterConfig).current
  const topology = readTopology(names, peers)
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
  return await runApplication(assembly, {
    ...configuration.section(lifecycleConfig).current,
    log,
    onReload: reload,
    onStarted: (running) => welcome(running, { topology, options, context, log }),
  })
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
  log.info('shop_open', { url: edge.http.url, grpc: edge.grpc, services: [...topology.local] })
  const { bold, dim } = terminal.style
  const lines = [
    '',
    `  ${bold('Plinth is open')}   ${[...topology.local].join(', ')}`,
    '',
    `  API        ${edge.http.url}/v1/products`,
    `  Reference  ${edge.http.url}/docs`,
    `  gRPC       ${edge.grpc}`,
    `  Health     http://${admin.host}:${admin.port}/readyz`,
    `  Metrics    http://${admin.host}:${admin.port}/metrics`,
    ...(operatorFile === '' ? [] : [`  Operator   ${dim(`credentials in ${operatorFile}`)}`]),
    '',
    `  ${dim('Ctrl-C stops it in good order.')}`,
    '',
  ]
  terminal.note(lines.join('\n'))
}

async function seedOnce(running: Running, context: CommandContext, log: RootLogger): Promise<void> {
  const catalog = running.get(clientOf(catalogContract))
  if (!(await isCatalogEmpty(catalog))) return
  const terminal = context.terminal({})
  const totals = await seedCatalog(catalog, {
    onProgress: ({ done, total }) => terminal.progress(`loading the catalogue: ${done} of ${total} films`),
  })
  terminal.done()
  log.info('catalog_seeded', totals)
}
