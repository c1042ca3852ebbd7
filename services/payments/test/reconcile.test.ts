import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createIds, createSeededRandom, type Random, systemClock } from '@plinth/base'
import { createFakeClock, type FakeClock } from '@plinth/base/testing'
import { migrate, openSqliteStore, sql } from '@plinth/data'
import { createSqliteFolder } from '@plinth/data/testing'
import { createOutbox } from '@plinth/messaging'
import { type PaymentSchema, paymentMigrations } from '../src/adapters/payment-schema.ts'
import {
  createProvider,
  type ProviderOperation,
  providerMigrations,
  testCards,
} from '../src/adapters/simulator/index.ts'
import { createSimulatorGateway } from '../src/adapters/simulator-gateway.ts'
import { createSqlPaymentStore } from '../src/adapters/sql-payment-store.ts'
import type { NewPayment, Payment } from '../src/domain/payment.ts'
import { createPayments, type Payments } from '../src/usecases/payments.ts'
import type { Gateway } from '../src/usecases/ports.ts'
import { createSettlePayment } from '../src/usecases/settle-payment.ts'
import { createWorkOff } from '../src/usecases/work-off-payments.ts'

const programs = Number(process.env['PLINTH_TEST_PROGRAMS'] ?? 1000)
const minuteMs = 60_000
const settings = {
  callTimeoutMs: 1000,
  retryMinMs: 200,
  retryMaxMs: 30_000,
  callsMax: 64,
  sweepMs: 250,
  reportsKeptMs: 5 * minuteMs,
}
const cards = [...Object.keys(testCards), 'card_nobody_knows']

/** A line to the provider that can be cut, and that loses questions and answers even when it is not. */
interface Line {
  isCut: boolean
  lossShare: number
}

function overLine(gateway: Gateway, line: Line, random: Random): Gateway {
  const isLost = () => line.isCut || random.next() < line.lossShare
  const lost = { outcome: 'lost' } as const
  return {
    provider: gateway.provider,
    async perform(request, signal) {
      if (isLost()) return lost
      const verdict = await gateway.perform(request, signal)
      return isLost() ? lost : verdict
    },
    async lookUp(request, signal) {
      if (isLost()) return lost
      const known = await gateway.lookUp(request, signal)
      return isLost() ? lost : known
    },
  }
}

/** Payments and their provider in virtual time, on real files. */
async function openHouse(seed: number) {
  await using undo = new AsyncDisposableStack()
  const folder = undo.use(await createSqliteFolder())
  const clock = createFakeClock()
  const random = createSeededRandom(seed)
  const ids = createIds({ clock, random })
  // The engine works in real time: virtual time must not run ahead of its own limits.
  const sqlStore = undo.use(await openSqliteStore<PaymentSchema>({ path: folder.file, clock: systemClock }))
  const books = undo.use(await openSqliteStore<unknown>({ path: `${folder.file}.provider`, clock: systemClock }))
  await migrate(sqlStore, paymentMigrations)
  await migrate(books, providerMigrations)
  const line: Line = { isCut: false, lossShare: 0.2 }
  const deliver = async (webhook: { readonly report_id: string; readonly payment_id: string }) => {
    if (line.isCut || random.next() < line.lossShare) throw new Error('lost')
    await payments.receiveReport('simulator', { reportId: webhook.report_id, paymentId: webhook.payment_id })
  }
  const provider = undo.use(
    createProvider({ store: books, clock, random, ids, deliver }, { repeatShare: 0.5, webhookDelayMaxMs: 5000 }),
  )
  const gateway = overLine(createSimulatorGateway(provider), line, random)
  const store = createSqlPaymentStore({ store: sqlStore, outbox: createOutbox(), clock, ids })
  const settle = createSettlePayment({ store, gateway, clock, settings: () => settings })
  const faults: unknown[] = []
  const workOff = createWorkOff({
    store,
    settle,
    clock,
    settings: () => settings,
    onFault: (_, fault) => faults.push(fault),
  })
  const payments: Payments = createPayments({
    store,
    clock,
    settle,
    settings: () => settings,
    onPending: workOff.offer,
  })
  const closing = new AbortController()
  const sweeping = workOff.run(closing.signal).catch(() => {})
  undo.defer(async () => {
    closing.abort()
    await sweeping
  })
  const resources = undo.move()
  return {
    clock,
    random,
    ids,
    line,
    payments,
    store,
    faults,
    settled: () => store.waiting().then(({ count }) => count === 0 && workOff.underWay === 0),
    books: () => books.read((tx) => tx.all(everyOperation, {})),
    events: () => sqlStore.read((tx) => tx.all(everyEvent, {})),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

type House = Awaited<ReturnType<typeof openHouse>>

const everyOperation = sql<
  Record<never, never>,
  Pick<ProviderOperation, 'key' | 'paymentId' | 'operation' | 'outcome'>
>`
  select key, payment_id as "paymentId", operation, outcome from provider_operation`
const everyEvent = sql<Record<never, never>, { paymentId: string; type: string }>`
  select message_key as "paymentId", type from outbox`

/** What somebody does with one payment: commands in any order, each perhaps twice, with pauses up to a minute. */
async function runProgram(house: House, wait: (ms: number) => Promise<void>): Promise<NewPayment> {
  const { random, ids, payments } = house
  const paymentId = ids.next()
  const wish: NewPayment = {
    paymentId,
    orderId: paymentId,
    amountMinor: 1 + random.int(10_000),
    currency: 'USD',
    method: cards[random.int(cards.length)]!,
    manualCapture: random.next() < 0.4,
    manualConfirm: random.next() < 0.3,
  }
  await wait(random.int(15 * minuteMs))
  await payments.create(wish)
  const verbs = ['create', 'confirm', 'capture', 'void', 'refund', 'reconcile', 'report'] as const
  for (let step = random.int(8); step > 0; step--) {
    await wait(random.int(random.next() < 0.5 ? 500 : minuteMs))
    const verb = verbs[random.int(verbs.length)]!
    for (let times = 1 + random.int(2); times > 0; times--) {
      if (verb === 'create') await payments.create(wish)
      else if (verb === 'report') await payments.receiveReport('simulator', { reportId: ids.next(), paymentId })
      else await payments[verb](paymentId)
    }
  }
  return wish
}

/** Moves virtual time on until the work is done. */
async function drive<T>(clock: FakeClock, work: Promise<T>, stepMs: number): Promise<T> {
  let done = false
  const watched = work.finally(() => {
    done = true
  })
  while (!done) await clock.advance(stepMs)
  return await watched
}

/** Lets everything find its end, which takes far less than an hour once the line holds. */
async function settle(house: House): Promise<void> {
  for (let passedMs = 0; !(await house.settled()); passedMs += settings.sweepMs) {
    assert.ok(passedMs < 60 * minuteMs, 'payments wait for an outcome that never comes')
    await house.clock.advance(settings.sweepMs)
  }
}

/** Operations that the provider approved for a payment of this status, and what the world heard. */
function expected(payment: Payment): { readonly approved: readonly string[]; readonly events: readonly string[] } {
  const { status, manualCapture } = payment
  const taken = manualCapture ? ['charge', 'capture'] : ['charge']
  const authorized = manualCapture ? ['payment_authorized'] : []
  switch (status) {
    case 'created':
      return { approved: [], events: [] }
    case 'authorized':
      return { approved: ['charge'], events: ['payment_authorized'] }
    case 'captured':
      return { approved: taken, events: [...authorized, 'payment_captured'] }
    case 'refunded':
      return { approved: [...taken, 'refund'], events: [...authorized, 'payment_captured', 'payment_refunded'] }
    case 'failed':
      return { approved: [], events: ['payment_failed'] }
    case 'voided':
      return payment.attempts === 0
        ? { approved: [], events: ['payment_voided'] }
        : { approved: ['charge', 'void'], events: ['payment_authorized', 'payment_voided'] }
    case 'processing':
    case 'unknown':
    case 'refunding':
      return assert.fail(`payment ${payment.paymentId} is still ${status}`)
    default:
      return status satisfies never
  }
}

describe('payments and their provider', () => {
  it(`agree in the end, whatever gets lost, repeated and reordered in ${programs} programs`, async (t) => {
    const seed = Number(process.env['PLINTH_TEST_SEED'] ?? Date.now() % 1_000_000_000)
    t.diagnostic(`seed ${seed} (PLINTH_TEST_SEED)`)
    await using house = await openHouse(seed)
    const { clock, line } = house
    const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(resolve, ms))
    const work = Promise.all(Array.from({ length: programs }, () => runProgram(house, wait)))
    // Ten minutes of outage in the middle of it all.
    clock.setTimer(() => Object.assign(line, { isCut: true }), 3 * minuteMs)
    clock.setTimer(() => Object.assign(line, { isCut: false }), 13 * minuteMs)
    const wishes = await drive(clock, work, 1000)
    await settle(house)

    assert.deepEqual(house.faults, [], `seed ${seed}`)
    const approved = Map.groupBy(
      (await house.books()).filter(({ outcome }) => outcome === 'approved'),
      ({ paymentId }) => paymentId,
    )
    const events = Map.groupBy(await house.events(), ({ paymentId }) => paymentId)
    const statuses = new Set<string>()
    for (const { paymentId } of wishes) {
      const payment = await house.payments.get(paymentId)
      const found = {
        approved: (approved.get(paymentId) ?? []).map(({ operation }) => operation).sort(),
        events: (events.get(paymentId) ?? []).map(({ type }) => type).sort(),
      }
      const { approved: operations, events: told } = expected(payment)
      const wanted = { approved: operations.toSorted(), events: told.toSorted() }
      assert.deepEqual(found, wanted, `seed ${seed}: ${JSON.stringify(payment)}`)
      statuses.add(payment.status)
    }
    assert.deepEqual([...statuses].sort(), ['authorized', 'captured', 'created', 'failed', 'refunded', 'voided'])
  })

  it('show an outcome that nobody knows, and since when', async () => {
    await using house = await openHouse(1)
    const { clock, line, payments, ids, store } = house
    line.isCut = true
    const askedAtMs = clock.nowMs()
    const paymentId = ids.next()
    await payments.create(plainWish(paymentId))
    await clock.advance(settings.sweepMs)
    for (let minute = 0; minute < 10; minute++) await clock.advance(minuteMs)
    const page = await payments.list({ status: 'unknown', orderId: undefined, limit: 10, after: undefined })
    assert.deepEqual(
      page.payments.map((payment) => [payment.paymentId, payment.pendingSinceMs]),
      [[paymentId, askedAtMs]],
    )
    assert.deepEqual(await store.waiting(), { count: 1, sinceMs: askedAtMs })
    line.isCut = false
    line.lossShare = 0
    await settle(house)
    const settled = await payments.get(paymentId)
    assert.deepEqual([settled.status, settled.pendingSinceMs], ['captured', 0])
    assert.deepEqual(await store.waiting(), { count: 0, sinceMs: undefined })
  })

  it('remember reports as long as they are told to, and no longer', async () => {
    await using house = await openHouse(1)
    const { clock, payments, store } = house
    const isFirst = () => store.unit((unit) => unit.firstReport('simulator', 'r1'))
    assert.equal(await isFirst(), true)
    await clock.advance(settings.reportsKeptMs)
    assert.deepEqual([await payments.forgetOld(), await isFirst()], [0, false])
    await clock.advance(1)
    assert.deepEqual([await payments.forgetOld(), await isFirst()], [1, true])
  })
})

function plainWish(paymentId: string): NewPayment {
  return {
    paymentId,
    orderId: paymentId,
    amountMinor: 100,
    currency: 'USD',
    method: 'card_ok',
    manualCapture: false,
    manualConfirm: false,
  }
}
