import type { Clock, Ids, Random } from '@plinth/base'
import type { Migration, SqlStore } from '@plinth/data'
import type { Bus } from '@plinth/messaging'
import type { Client, Contract, ServiceBinding } from '@plinth/rpc'
import type { Logger, Metrics as MetricsRegistry, Tracer as SpanTracer } from '@plinth/telemetry'
import type { ConfigDefinition, ConfigSection } from './config/define-config.ts'
import { type Key, key } from './wiring/key.ts'

/** The clock of the process: real, or virtual in simulation. */
export const Clocks = key<Clock>()('clock')
/** The randomness of the process: real, or seeded in simulation. */
export const Randoms = key<Random>()('random')
/** Where new ids come from: UUIDv7 in the order they were made. */
export const IdsKey = key<Ids>()('ids')
/** The log of the application; a module derives its own by `log.with({ module })`. */
export const Log = key<Logger>()('log')
/** Where counters, gauges and histograms are made. */
export const Metrics = key<MetricsRegistry>()('metrics')
/** Where spans are made. */
export const Tracer = key<SpanTracer>()('tracer')
/** Durable messages between services. */
export const BusKey = key<Bus>()('bus')
/** Where a service opens its database. */
export const Stores = key<StoreOpener>()('stores')

/** Opens a database for each service: a SQLite file or a PostgreSQL schema of its own, by configuration. */
export interface StoreOpener {
  /** Opens and migrates. The caller disposes the store. `name` is the service's, 1 to 40 of `a-z 0-9 _`. */
  open<Schema>(options: StoreOptions): Promise<SqlStore<Schema>>
}

/** Whose database, and what its schema is. */
export interface StoreOptions {
  readonly name: string
  /** Applied in the order of their ids before the store is handed over. */
  readonly migrations: readonly Migration[]
}

/** The key of a client of a contract, local or remote. */
export function clientOf<S extends Contract['service'], const Name extends string>(
  contract: Contract<S, Name>,
): Key<Client<S>, `client:${Name}`> {
  return key<Client<S>>()(`client:${contract.name}`)
}

/** The key of a contract's implementation, ready to be served. */
export function bindingOf<S extends Contract['service'], const Name extends string>(
  contract: Contract<S, Name>,
): Key<ServiceBinding<S>, `binding:${Name}`> {
  return key<ServiceBinding<S>>()(`binding:${contract.name}`)
}

/** The key of a section of the configuration. */
export function configOf<const Name extends string, T>(
  definition: ConfigDefinition<Name, T>,
): Key<ConfigSection<T>, `config:${Name}`> {
  return key<ConfigSection<T>>()(`config:${definition.name}`)
}
