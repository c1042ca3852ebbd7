/**
 * The payments service, put together.
 * @module
 */
import { type Random, Secret, sleep } from '@plinth/base'
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
  Log,
  Metrics,
  number,
  Randoms,
  Stores,
  secret,
  Tracer,
  traceHeaders,
} from '@plinth/kernel'
import { createOutbox, startOutboxRelay } from '@plinth/messaging'
import { bindService } from '@plinth/rpc'
import { createWebhookSigner } from '@plinth/security'
import type { Metrics as MetricsRegistry } from '@plinth/telemetry'
import { PaymentsService, paymentsContract } from '../contract/index.ts'
import { type PaymentSchema, paymentMigrations } from './adapters/payment-schema.ts'
import { createProvider, type ProviderWebhook, providerMigrations } from './adapters/simulator/index.ts'
import { createSimulatorGateway } from './adapters/simulator-gateway.ts'
import { createSqlPaymentStore } from './adapters/sql-payment-store.ts'
import { createPaymentsRpc } from './entrypoints/rpc.ts'
import { createWebhookReceiver } from './entrypoints/webhook.ts'
import { createPayments } from './usecases/payments.ts'
import type { Waiting } from './usecases/ports.ts'
import { createSettlePayment } from './usecases/settle-payment.ts'
import { createWorkOff } from './usecases/work-off-payments.ts'

/** What can be set about payments. */
export const paymentsConfig = defineConfig(
  'payments',
  {
    callTimeoutMs: durationMs({
      default: '5s',
      min: '100ms',
      max: '1m',
      describe: 'Time for one call to the provider',
    }),
    callsMax: integer({ default: 64, min: 1, max: 1000, describe: 'Calls to the provider under way at once' }),
    retryMinMs: durationMs({ default: '200ms', min: '10ms', max: '1m', describe: 'First pause after a lost answer' }),
    retryMaxMs: durationMs({ default: '30s', min: '100ms', max: '1h', describe: 'Longest pause between two tries' }),
    sweepMs: durationMs({ default: '250ms', min: '50ms', max: '1m', describe: 'Pause between looks for due payments' }),
    reportsKeptMs: durationMs({
      default: '30d',
      min: '1h',
      max: '365d',
      describe: 'How long a report of the provider is remembered, so that its repetitions change nothing',
    }),
    webhookSecret: secret({
      optional: true,
      charsMin: 16,
      restart: true,
      describe: 'Signs the reports of the provider; without it the simulator gets a new one at every start',
    }),
    simulatorSlowMs: durationMs({ default: '2s', min: '0ms', max: '1m', describe: 'How long card_slow takes' }),
    simulatorRepeatShare: number({ default: 0.2, min: 0, max: 1, describe: 'Share of webhooks the simulator repeats' }),
  },
  { describe: 'Payments and the simulated provider behind them' },
)

/** Pause between two looks at what waits, and for what is too old to keep. */
const housekeepingMs = 10_000

/** Payments as a module, with the simulator as its provider. */
export function createPaymentsModule() {
  return defineModule({
    name: 'payments',
    needs: {
      clock: Clocks,
      random: Randoms,
      ids: IdsKey,
      log: Log,
      metrics: Metrics,
      tracer: Tracer,
      stores: Stores,
      bus: BusKey,
      config: configOf(paymentsConfig),
    },
    provides: { payments: bindingOf(paymentsContract) },
    async start(deps, context) {
      const { clock, ids, bus, config, tracer, random } = deps
      const log = deps.log.with({ module: 'payments' })
      await using undo = new AsyncDisposableStack()
      const sql = undo.use(await deps.stores.open<PaymentSchema>({ name: 'payments', migrations: paymentMigrations }))
      const books = undo.use(await deps.stores.open<unknown>({ name: 'provider', migrations: providerMigrations }))
      const signer = createWebhookSigner({
        clock,
        secrets: [config.current.webhookSecret ?? randomSecret(random)],
      })
      const provider = undo.use(
        createProvider(
          { store: books, clock, random, ids, deliver: (webhook) => deliver(webhook) },
          { slowMs: config.current.simulatorSlowMs, repeatShare: config.current.simulatorRepeatShare },
        ),
      )
      const showWaiting = createWaitingGauges(deps.metrics)
      const gateway = createSimulatorGateway(provider)
      const outbox = createOutbox({ headers: () => traceHeaders(tracer) })
      const settings = () => config.current
      const store = createSqlPaymentStore({ store: sql, outbox, clock, ids })
      const settle = createSettlePayment({ store, gateway, clock, settings })
      const workOff = createWorkOff({
        store,
        settle,
        clock,
        settings,
        onFault: (payment, fault) =>
          log.warn('payment_not_settled', { payment_id: payment.paymentId, code: fault.code, error: fault }),
      })
      const payments = createPayments({ store, clock, settle, settings, onPending: workOff.offer })
      const receiveWebhook = createWebhookReceiver({ payments, signer })

      async function deliver(webhook: ProviderWebhook): Promise<void> {
        const body = new TextEncoder().encode(JSON.stringify(webhook))
        await receiveWebhook(gateway.provider, { body, signature: signer.sign(body) })
      }

      undo.use(startOutboxRelay({ store: sql, bus, outbox, clock }, { name: 'payments' }))
      context.run('housekeeping', async ({ signal }) => {
        for (;;) {
          showWaiting(await store.waiting(), clock.nowMs())
          await payments.forgetOld()
          await sleep(clock, housekeepingMs, signal)
        }
      })
      context.run('work off', ({ signal }) => workOff.run(signal))
      const resources = undo.move()
      return {
        provides: { payments: bindService(PaymentsService, createPaymentsRpc({ payments, receiveWebhook })) },
        stop: () => resources.disposeAsync(),
      }
    },
  })
}

function createWaitingGauges(metrics: MetricsRegistry) {
  const count = metrics.gauge({ name: 'payments_waiting', help: 'Payments whose outcome the provider owes' })
  const oldest = metrics.gauge({
    name: 'payments_waiting_oldest_seconds',
    help: 'Age of the oldest outcome that the provider owes',
  })
  return (waiting: Waiting, nowMs: number) => {
    count.set(waiting.count)
    oldest.set(waiting.sinceMs === undefined ? 0 : Math.max(0, nowMs - waiting.sinceMs) / 1000)
  }
}

function randomSecret(random: Random): Secret {
  return new Secret(Buffer.from(random.fill(new Uint8Array(32))).toString('base64url'))
}
