/**
 * The orders service, put together.
 * @module
 */
import { sleep } from '@plinth/base'
import { inventoryContract } from '@plinth/catalog-service/contract'
import {
  BusKey,
  bindingOf,
  Clocks,
  clientOf,
  configOf,
  defineConfig,
  defineModule,
  durationMs,
  IdsKey,
  Stores,
  Tracer,
  traceHeaders,
} from '@plinth/kernel'
import { createOutbox, startOutboxRelay } from '@plinth/messaging'
import { paymentsContract } from '@plinth/payments-service/contract'
import { bindService } from '@plinth/rpc'
import { OrdersService, ordersContract } from '../contract/index.ts'
import { createInventoryClient } from './adapters/inventory-client.ts'
import { createMemoryOrderFeed } from './adapters/memory-order-feed.ts'
import { type OrderSchema, orderMigrations } from './adapters/order-schema.ts'
import { createPaymentsClient } from './adapters/payments-client.ts'
import { createSqlOrderStore } from './adapters/sql-order-store.ts'
import { subscribeOrders } from './entrypoints/consumers.ts'
import { createOrdersRpc } from './entrypoints/rpc.ts'
import { createOrders } from './usecases/orders.ts'

/** What can be set about orders. */
export const ordersConfig = defineConfig(
  'orders',
  {
    payTimeoutMs: durationMs({ default: '30m', min: '1s', max: '7d', describe: 'Time a customer has to pay' }),
    holdMarginMs: durationMs({
      default: '1m',
      min: '0s',
      max: '1h',
      describe: 'How much longer stock is held than the time to pay, so that orders expire before their stock does',
    }),
    remindAfterMs: durationMs({
      default: '30s',
      min: '1s',
      max: '1h',
      describe: 'Silence after which the outcome of a payment or refund is asked for again',
    }),
    sweepMs: durationMs({ default: '1s', min: '100ms', max: '1m', describe: 'Pause between looks for overdue orders' }),
    answersKeptMs: durationMs({
      default: '24h',
      min: '1m',
      max: '30d',
      describe: 'How long a command repeated with its idempotency key gets its first answer again',
    }),
    messagesKeptMs: durationMs({
      default: '14d',
      min: '1h',
      max: '365d',
      describe: 'How long a handled message is remembered: longer than the bus keeps it, or dead letters wait',
    }),
  },
  { describe: 'Placing orders and carrying them to their end' },
)

/** Pause between two looks for what is too old to keep. */
const forgetEveryMs = 10_000

/** Orders as a module: opens its store, carries its outbox to the bus, listens to payments, sweeps. */
export function createOrdersModule() {
  return defineModule({
    name: 'orders',
    needs: {
      clock: Clocks,
      ids: IdsKey,
      tracer: Tracer,
      stores: Stores,
      bus: BusKey,
      inventory: clientOf(inventoryContract),
      payments: clientOf(paymentsContract),
      config: configOf(ordersConfig),
    },
    provides: { orders: bindingOf(ordersContract) },
    async start(deps, context) {
      const { clock, ids, bus, config, tracer } = deps
      await using undo = new AsyncDisposableStack()
      const sql = undo.use(await deps.stores.open<OrderSchema>({ name: 'orders', migrations: orderMigrations }))
      const outbox = createOutbox({ headers: () => traceHeaders(tracer) })
      const orders = createOrders({
        store: createSqlOrderStore({ store: sql, outbox, clock, ids }),
        inventory: createInventoryClient(deps.inventory),
        payments: createPaymentsClient(deps.payments),
        feed: createMemoryOrderFeed(),
        clock,
        ids,
        settings: () => config.current,
      })
      undo.use(startOutboxRelay({ store: sql, bus, outbox, clock }, { name: 'orders' }))
      for (const subscription of await subscribeOrders(bus, orders)) undo.use(subscription)
      context.run('sweep', async ({ signal }) => {
        for (;;) {
          await sleep(clock, config.current.sweepMs, signal)
          await orders.sweep()
        }
      })
      context.run('forget', async ({ signal }) => {
        for (;;) {
          await sleep(clock, forgetEveryMs, signal)
          await orders.forgetOld()
        }
      })
      const resources = undo.move()
      return {
        provides: { orders: bindService(OrdersService, createOrdersRpc(orders)) },
        stop: () => resources.disposeAsync(),
      }
    },
  })
}
