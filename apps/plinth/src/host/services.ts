import { catalogConfig, createCatalogModule } from '@plinth/catalog-service'
import { catalogContract, inventoryContract } from '@plinth/catalog-service/contract'
import { createEventsModule } from '@plinth/events-service'
import { eventsContract } from '@plinth/events-service/contract'
import { createIdentityModule, identityConfig } from '@plinth/identity-service'
import { authContract, usersContract } from '@plinth/identity-service/contract'
import type { AnyModule, ConfigDefinition } from '@plinth/kernel'
import { createOrdersModule, ordersConfig } from '@plinth/orders-service'
import { ordersContract } from '@plinth/orders-service/contract'
import { createPaymentsModule, paymentsConfig } from '@plinth/payments-service'
import { paymentsContract } from '@plinth/payments-service/contract'
import type { Contract } from '@plinth/rpc'
import type { ServiceTokens } from '@plinth/security'

/** What a process can tell its services. */
export interface ServiceOptions {
  /** The data folder. */
  readonly dataFolder: string
  /** Checks the tokens of services in other processes. */
  readonly services: ServiceTokens
}

/** A service as the host knows it. */
export interface ServiceEntry {
  readonly module: (options: ServiceOptions) => AnyModule
  readonly config: readonly ConfigDefinition[]
  /** What it serves. */
  readonly contracts: readonly Contract[]
}

/** Every service, by the name under which it is started: `plinth up orders payments`. */
export const services = {
  identity: { module: createIdentityModule, config: [identityConfig], contracts: [authContract, usersContract] },
  catalog: { module: createCatalogModule, config: [catalogConfig], contracts: [catalogContract, inventoryContract] },
  orders: { module: createOrdersModule, config: [ordersConfig], contracts: [ordersContract] },
  payments: { module: createPaymentsModule, config: [paymentsConfig], contracts: [paymentsContract] },
  events: { module: createEventsModule, config: [], contracts: [eventsContract] },
} as const satisfies Record<string, ServiceEntry>

export type ServiceName = keyof typeof services

export const serviceNames = Object.keys(services) as readonly ServiceName[]

export function isServiceName(name: string): name is ServiceName {
  return Object.hasOwn(services, name)
}
