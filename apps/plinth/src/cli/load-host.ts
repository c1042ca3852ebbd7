import { systemClock } from '@plinth/base'
import { type Configuration, createFileSource, loadConfiguration } from '@plinth/kernel'
import type { Command } from 'commander'
import { configDefinitions } from '../host/shop.ts'

/** Options of every command that reads the configuration. */
export interface HostOptions {
  readonly config?: readonly string[]
  readonly set?: readonly string[]
  readonly data?: string
  readonly peers?: readonly string[]
}

/** Adds the options of {@link HostOptions}. */
export function addHostOptions(command: Command): Command {
  return command
    .option('--peers <service=host:port...>', 'where the other services are (their gRPC address)')
    .option('--data <folder>', 'folder of databases, log and keys (data.dir)')
    .option('--config <file...>', 'configuration files, YAML, JSON or TOML; later ones win')
    .option('--set <section.field=value...>', 'single settings')
}

/** The file that is read when it is there and none is named. */
export const defaultFile = 'plinth.yaml'

/** Reads the configuration: defaults, files, environment, flags. */
export function loadHostConfiguration(
  options: HostOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Configuration> {
  const deps = { clock: systemClock }
  const files = options.config?.map((path) => createFileSource(deps, { path }))
  const flags = [...(options.set ?? [])]
  if (options.data !== undefined) flags.push(`data.dir=${options.data}`)
  if (options.peers !== undefined) flags.push(`cluster.peers=${options.peers.join(',')}`)
  return loadConfiguration(deps, {
    definitions: configDefinitions,
    sources: files ?? [createFileSource(deps, { path: defaultFile, required: false })],
    environment: reserved(environment),
    flags,
  })
}

/** Variables of the same prefix that are not configuration. */
const notConfiguration = new Set([
  'PLINTH_SERVER',
  'PLINTH_AS',
  'PLINTH_TOKEN',
  'PLINTH_PASSWORD',
  'PLINTH_TEST_POSTGRES_URL',
])

function reserved(environment: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !notConfiguration.has(name)))
}
