import { catalogConfig, createCatalogModule } from '@plinth/catalog-service'
import { catalogComments, catalogContract, inventoryContract } from '@plinth/catalog-service/contract'
import { createEventsModule } from '@plinth/events-service'
import { eventsComments, eventsContract } from '@plinth/events-service/contract'
import { createIdentityModule, identityConfig } from '@plinth/identity-service'
import { authContract, identityComments, usersContract } from '@plinth/identity-service/contract'
import type { AnyModule, ConfigDefinition } from '@plinth/kernel'
import { createOrdersModule, ordersConfig } from '@plinth/orders-service'
import { ordersComments, ordersContract } from '@plinth/orders-service/contract'
import { createPaymentsModule, paymentsConfig } from '@plinth/payments-service'
import { paymentsComments, paymentsContract } from '@plinth/payments-service/contract'
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
  /** What is written in its contracts, for the API reference. */
  readonly comments: Readonly<Record<string, string>>
}

/** Every service, by the name under which it is started: `plinth up orders payments`. */
export const services = {
  identity: {
    module: createIdentityModule,
    config: [identityConfig],
    contracts: [authContract, usersContract],
    comments: identityComments,
  },
  catalog: {
    module: createCatalogModule,
    config: [catalogConfig],
    contracts: [catalogContract, inventoryContract],
    comments: catalogComments,
  },
  orders: { module: createOrdersModule, config: [ordersConfig], contracts: [ordersContract], comments: ordersComments },
  payments: {
    module: createPaymentsModule,
    config: [paymentsConfig],
    contracts: [paymentsContract],
    comments: paymentsComments,
  },
  events: { module: createEventsModule, config: [], contracts: [eventsContract], comments: eventsComments },
} as const satisfies Record<string, ServiceEntry>

export type ServiceName = keyof typeof services

export const serviceNames = Object.keys(services) as readonly ServiceName[]

export function isServiceName(name: string): name is ServiceName {
  return Object.hasOwn(services, name)
}
