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
    changesKept: integer({
      default: 100_000,
      min: 1000,
      max: 100_000_000,
      describe: 'Changes kept for readers that come back to the change feed',
    }),
  },
  { describe: 'Products, search and stock' },
)

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
      const store = createSqlCatalogStore({ store: sql, outbox, clock, ids })
      const catalog = createCatalog({ store, clock, ids })
      undo.use(startOutboxRelay({ store: sql, bus, outbox, clock }, { name: 'catalog' }))
      context.run('sweep', async ({ signal }) => {
        for (let sweeps = 0; ; sweeps++) {
          await sleep(clock, config.current.sweepMs, signal)
          await catalog.inventory.sweep()
          if (sweeps % sweepsPerTrim === 0) await store.trimChanges(config.current.changesKept)
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
