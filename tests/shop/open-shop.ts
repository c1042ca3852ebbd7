/**
 * A shop of catalogue, orders and payments in one process, on files of its own: what the tests of the saga need and
 * no more. Calls go through the same in-process clients as in the real program.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@plinth/base'
import { catalogConfig, createCatalogModule } from '@plinth/catalog-service'
import { catalogContract, inventoryContract } from '@plinth/catalog-service/contract'
import {
  type AnyModule,
  assemble,
  BusKey,
  bindingOf,
  clientOf,
  createConfigModule,
  defineModule,
  loadConfiguration,
  type Running,
} from '@plinth/kernel'
import { openLogBus } from '@plinth/messaging'
import { createOrdersModule, ordersConfig } from '@plinth/orders-service'
import { ordersContract } from '@plinth/orders-service/contract'
import { createPaymentsModule, paymentsConfig } from '@plinth/payments-service'
import { paymentsContract } from '@plinth/payments-service/contract'
import {
  type Contract,
  createClient,
  createDispatcher,
  createInProcessTransport,
  standardInterceptors,
} from '@plinth/rpc'
import { createLogger } from '@plinth/telemetry'
import { createMemorySink } from '@plinth/telemetry/testing'
import { dataConfig } from '../../apps/plinth/src/host/config.ts'
import { createFoundationModule } from '../../apps/plinth/src/host/foundation.ts'
import { storesModule } from '../../apps/plinth/src/host/stores.ts'

export interface ShopOptions {
  /** `section.field=value` each. */
  readonly settings?: readonly string[]
  /** Where an earlier shop left its files. @default a new folder */
  readonly dir?: string
  /** Modules in place of those that provide the same keys. */
  readonly swap?: readonly AnyModule[]
}

const contracts = [catalogContract, inventoryContract, ordersContract, paymentsContract] as const

/** Opens the shop. `stop` keeps the files, disposing removes them. */
export async function openShop(options: ShopOptions = {}) {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'plinth-shop-')))
  const sink = createMemorySink()
  const configuration = await loadConfiguration(
    { clock: systemClock },
    {
      definitions: [dataConfig, catalogConfig, ordersConfig, paymentsConfig],
      flags: [`data.dir=${dir}`, ...(options.settings ?? [])],
    },
  )
  const swapped = new Set((options.swap ?? []).flatMap(keysOf))
  const modules: AnyModule[] = [
    createConfigModule(configuration),
    createFoundationModule({ log: createLogger({ sink, level: 'debug' }), traceRatio: 1 }),
    storesModule,
    busModule(dir),
    createCatalogModule(),
    createOrdersModule(),
    createPaymentsModule(),
    ...contracts.map(insideClient),
  ].filter((module: AnyModule) => !keysOf(module).some((name) => swapped.has(name)))
  const running: Running = await assemble([...modules, ...(options.swap ?? [])]).start()
  return {
    dir,
    records: sink.records,
    running,
    stop: () => running.stop('test'),
    /** A client that calls as this principal. */
    as: createCallers(running),
    async [Symbol.asyncDispose]() {
      await running.stop('test')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export type Shop = Awaited<ReturnType<typeof openShop>>

/** The module that gives one contract's client, calling inside the process as a service. */
export function insideClient(contract: Contract): AnyModule {
  return defineModule({
    name: `client:${contract.name}`,
    needs: { binding: bindingOf(contract) },
    provides: { client: clientOf(contract) },
    start: ({ binding }) => {
      const inside = { id: 'inside', roles: ['service'] }
      const interceptors = standardInterceptors({ authenticator: { authenticate: () => undefined } })
      const transport = createInProcessTransport(createDispatcher([binding], interceptors), { principal: inside })
      return {
        provides: { client: createClient(contract.service, transport) },
        stop: () => transport[Symbol.asyncDispose](),
      }
    },
  })
}

function keysOf(module: AnyModule): readonly string[] {
  return Object.values(module.provides).map(({ name }) => name)
}

function busModule(dir: string): AnyModule {
  return defineModule({
    name: 'bus',
    provides: { bus: BusKey },
    async start() {
      const bus = await openLogBus({ folder: join(dir, 'bus') })
      return { provides: { bus }, stop: () => bus[Symbol.asyncDispose]() }
    },
  })
}

function createCallers(running: Running) {
  const dispatcher = createDispatcher(
    contracts.map((contract) => running.get(bindingOf(contract as Contract))),
    standardInterceptors({ authenticator: { authenticate: () => undefined } }),
  )
  return (principal: { readonly id: string; readonly roles: readonly string[] }) => {
    const transport = createInProcessTransport(dispatcher, { principal })
    return {
      catalog: createClient(catalogContract.service, transport),
      inventory: createClient(inventoryContract.service, transport),
      orders: createClient(ordersContract.service, transport),
      payments: createClient(paymentsContract.service, transport),
    }
  }
}
