import { PlatformError } from '@plinth/base'
import { createAuthenticatorModule } from '@plinth/identity-service'
import {
  type AnyModule,
  type Assembly,
  adminConfig,
  adminModule,
  assemble,
  type ConfigDefinition,
  type Configuration,
  createConfigModule,
  eventLoopModule,
  lifecycleConfig,
} from '@plinth/kernel'
import type { Contract } from '@plinth/rpc'
import { sharedComments } from '@plinth/rpc/contract'
import type { RootLogger } from '@plinth/telemetry'
import { plinthVersion } from '../plinth-version.ts'
import { localBusModule, remoteBusModule } from './bus.ts'
import { createLocalClientModule, createRemoteClientModule, type ServiceIdentity } from './clients.ts'
import { clusterConfig, dataConfig, grpcConfig, httpConfig, logConfig, rpcConfig } from './config.ts'
import { createEdgeModule } from './edge.ts'
import { createFoundationModule } from './foundation.ts'
import { createGatewayModule } from './gateway.ts'
import { observersModule } from './observers.ts'
import { isServiceName, type ServiceName, serviceNames, services } from './services.ts'
import { storesModule } from './stores.ts'

/** Every section of the configuration, of all services: one file serves every process of a shop. */
export const configDefinitions: readonly ConfigDefinition[] = [
  dataConfig,
  httpConfig,
  grpcConfig,
  rpcConfig,
  adminConfig,
  logConfig,
  clusterConfig,
  lifecycleConfig,
  ...serviceNames.flatMap((name): readonly ConfigDefinition[] => services[name].config),
]

/** Which services run here, and where the others are. */
export interface Topology {
  readonly local: ReadonlySet<ServiceName>
  readonly peers: ReadonlyMap<ServiceName, string>
}

export interface ShopDeps {
  readonly configuration: Configuration
  readonly log: RootLogger
  /** By which this process shows itself to its peers. */
  readonly identity: ServiceIdentity
}

/**
 * Reads a topology. Without names every service runs here; with names, every other service needs a peer.
 *
 * @throws PlatformError `plinth.topology_invalid` (invalid) that tells what is unknown or has no place.
 */
export function readTopology(names: readonly string[], peers: readonly string[]): Topology {
  const local = new Set(names.length === 0 ? serviceNames : names.map(toServiceName))
  const remote = new Map<ServiceName, string>()
  for (const peer of peers) {
    const [name = '', address = ''] = peer.split('=')
    if (!/^.+:\d{1,5}$/.test(address)) throw invalid(`peer "${peer}" is not service=host:port`)
    const service = toServiceName(name)
    if (local.has(service)) throw invalid(`${service} cannot run here and at ${address}`)
    remote.set(service, address)
  }
  const homeless = serviceNames.filter((name) => !local.has(name) && !remote.has(name))
  if (homeless.length > 0) {
    throw invalid(`${homeless.join(', ')} run nowhere: start them here, or say --peers ${homeless[0]}=host:port`)
  }
  return { local, peers: remote }
}

/** Puts the modules of one process together. The same services, whatever the topology. */
export function assembleShop(deps: ShopDeps, topology: Topology): Assembly {
  const { configuration, log, identity } = deps
  const local = serviceNames.filter((name) => topology.local.has(name))
  const remote = serviceNames.flatMap((name) => {
    const address = topology.peers.get(name)
    return address === undefined ? [] : [{ name, address, contracts: contractsOf(name) }]
  })
  const { dir: dataFolder } = configuration.section(dataConfig).current
  const options = { dataFolder, services: identity.tokens }
  // Every process that verifies tokens hears of every revocation, so each is a group of its own on the bus.
  const instance = local.join('-')
  const contracts = local.flatMap(contractsOf)
  const comments = [sharedComments, ...serviceNames.map((name) => services[name].comments)]
  const modules: AnyModule[] = [
    createConfigModule(configuration),
    createFoundationModule({ log, traceRatio: configuration.section(logConfig).current.traceRatio }),
    observersModule,
    adminModule,
    eventLoopModule,
    storesModule,
    topology.local.has('events') ? localBusModule : remoteBusModule,
    ...(topology.local.has('identity') ? [] : [createAuthenticatorModule({ instance, services: identity.tokens })]),
    ...local.map((name) => services[name].module(options)),
    ...contracts.map((contract) => createLocalClientModule(contract)),
    ...remote.flatMap((peer) =>
      peer.contracts.map((contract) => createRemoteClientModule(contract, { address: peer.address, identity })),
    ),
    createGatewayModule(remote),
    createEdgeModule({ contracts, comments, version: plinthVersion() }),
  ]
  return assemble(modules)
}

function contractsOf(name: ServiceName): readonly Contract[] {
  return services[name].contracts
}

function toServiceName(name: string): ServiceName {
  if (isServiceName(name)) return name
  throw invalid(`there is no service "${name}"; there are ${serviceNames.join(', ')}`)
}

function invalid(why: string): PlatformError {
  return new PlatformError(`Cannot arrange the services: ${why}`, { kind: 'invalid', code: 'plinth.topology_invalid' })
}
