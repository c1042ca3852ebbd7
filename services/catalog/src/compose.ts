/**
 * The catalogue service, put together.
 * @module
 */
import { sleep } from '@plinth/base'
import {
  BusKey,
  bindingOf,
  Clocks,
  configOf,
  defineConfig,
  defineModule,
  durationMs,
  IdsKey,
  integer,
  Stores,
  Tracer,
  traceHeaders,
} from '@plinth/kernel'
import { createOutbox, startOutboxRelay } from '@plinth/messaging'
import { bindService } from '@plinth/rpc'
import { CatalogService, catalogContract, InventoryService, inventoryContract } from '../contract/index.ts'
import { createCachedCatalogStore } from './adapters/cached-catalog-store.ts'
import { catalogMigrations } from './adapters/catalog-schema.ts'
import { createSqlCatalogStore } from './adapters/sql-catalog-store.ts'
import { createCatalogRpc } from './entrypoints/catalog-rpc.ts'
import { createInventoryRpc } from './entrypoints/inventory-rpc.ts'
import { createCatalog } from './usecases/catalog.ts'

/** What can be set about the catalogue. */
export const catalogConfig = defineConfig(
  'catalog',
  {
    sweepMs: durationMs({ default: '1s', min: '100ms', max: '1m', describe: 'Pause between looks for expired stock' }),
    productsCached: integer({
      default: 10_000,
      min: 0,
      max: 1_000_000,
      restart: true,
      describe: 'Products kept in memory (on SQLite, which belongs to one process); 0 reads each from the store',
    }),
    changesKept: integer({
      default: 100_000,
      min: 1000,
      max: 100_000_000,
      describe: 'Changes kept for readers that come back to the change feed',
    }),
    answersKeptMs: durationMs({
      default: '24h',
      min: '1m',
      max: '30d',
      describe: 'How long a command repeated with its idempotency key gets its first answer again',
    }),
    reservationsKeptMs: durationMs({
      default: '30d',
      min: '1d',
      max: '3650d',
      describe: 'How long a reservation is remembered after it gave its stock back',
    }),
    salesKeptMs: durationMs({
      default: '365d',
      min: '1d',
      max: '3650d',
      describe: 'How long a sale is remembered, and so a refund before shipping gives its stock back',
    }),
  },
  { describe: 'Products, search and stock' },
)

/** Pause between two looks for what is too old to keep. */
const forgetEveryMs = 10_000

/** How many sweeps pass between two trims of the change feed. */
const sweepsPerTrim = 600

/** The catalogue as a module: opens its store, carries its outbox to the bus, gives back expired stock. */
export function createCatalogModule() {
  return defineModule({
    name: 'catalog',
    needs: { clock: Clocks, ids: IdsKey, tracer: Tracer, stores: Stores, bus: BusKey, config: configOf(catalogConfig) },
    provides: { catalog: bindingOf(catalogContract), inventory: bindingOf(inventoryContract) },
    async start(deps, context) {
      const { clock, ids, bus, config, tracer } = deps
      await using undo = new AsyncDisposableStack()
      const sql = undo.use(await deps.stores.open<unknown>({ name: 'catalog', migrations: catalogMigrations }))
      const outbox = createOutbox({ headers: () => traceHeaders(tracer) })
      const plain = createSqlCatalogStore({ store: sql, outbox, clock, ids })
      const { productsCached } = config.current
      const isCached = sql.dialect === 'sqlite' && productsCached > 0
      const store = isCached ? createCachedCatalogStore(plain, { productsMax: productsCached }) : plain
      const catalog = createCatalog({ store, clock, ids, settings: () => config.current })
      undo.use(startOutboxRelay({ store: sql, bus, outbox, clock }, { name: 'catalog' }))
      context.run('sweep', async ({ signal }) => {
        for (let sweeps = 0; ; sweeps++) {
          await sleep(clock, config.current.sweepMs, signal)
          await catalog.inventory.sweep()
          if (sweeps % sweepsPerTrim === 0) await store.trimChanges(config.current.changesKept)
        }
      })
      context.run('forget', async ({ signal }) => {
        for (;;) {
          await sleep(clock, forgetEveryMs, signal)
          await catalog.forgetOld()
        }
      })
      const resources = undo.move()
      return {
        provides: {
          catalog: bindService(CatalogService, createCatalogRpc(catalog)),
          inventory: bindService(InventoryService, createInventoryRpc(catalog.inventory)),
        },
        stop: () => resources.disposeAsync(),
      }
    },
  })
}
