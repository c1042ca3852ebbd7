import { type SqlReader, type SqlStore, type SqlWriter, sql } from '@plinth/data'
import type { Outbox } from '@plinth/messaging'
import type { Payment, PaymentChange } from '../domain/payment.ts'
import type { PaymentQuery, PaymentStore, PaymentUnit } from '../usecases/ports.ts'
import { encodePaymentEvent } from '../wire/payment-event.ts'
import { fromRow, toRow } from './payment-row.ts'
import type { PaymentRow, PaymentSchema } from './payment-schema.ts'

const find = sql<{ paymentId: string }, PaymentRow>`select * from payment where payment_id = ${'paymentId'}`

const due = sql<{ nowMs: number; limit: number }, PaymentRow>`
  select * from payment where pending <> '' and due_at_ms <= ${'nowMs'} order by due_at_ms limit ${'limit'}`

const insert = sql<PaymentRow>`
  insert into payment (payment_id, order_id, amount_minor, currency, method, manual_capture, status, failure,
    provider_reference, pending, pending_since_ms, due_at_ms, tries, attempts, created_at_ms, updated_at_ms)
  values (${'payment_id'}, ${'order_id'}, ${'amount_minor'}, ${'currency'}, ${'method'}, ${'manual_capture'},
    ${'status'}, ${'failure'}, ${'provider_reference'}, ${'pending'}, ${'pending_since_ms'}, ${'due_at_ms'},
    ${'tries'}, ${'attempts'}, ${'created_at_ms'}, ${'updated_at_ms'})`

const update = sql<PaymentRow>`
  update payment set status = ${'status'}, failure = ${'failure'}, provider_reference = ${'provider_reference'},
    pending = ${'pending'}, pending_since_ms = ${'pending_since_ms'}, due_at_ms = ${'due_at_ms'}, tries = ${'tries'},
    attempts = ${'attempts'}, updated_at_ms = ${'updated_at_ms'}
  where payment_id = ${'payment_id'}`

const insertReport = sql<{ provider: string; reportId: string; nowMs: number }>`
  insert into provider_report (provider, report_id, seen_at_ms) values (${'provider'}, ${'reportId'}, ${'nowMs'})
  on conflict (provider, report_id) do nothing`

const forgetReports = sql<{ beforeMs: number; rowsMax: number }>`
  delete from provider_report where (provider, report_id) in (
    select provider, report_id from provider_report where seen_at_ms < ${'beforeMs'}
    order by seen_at_ms limit ${'rowsMax'}
  )`

const waiting = sql<Record<never, never>, { count: number; sinceMs: number | null }>`
  select count(*) as count, min(pending_since_ms) as "sinceMs" from payment where pending <> ''`

export interface SqlPaymentStoreDeps {
  readonly store: SqlStore<PaymentSchema>
  readonly outbox: Outbox
  readonly clock: { nowMs(): number }
  readonly ids: { next(): string }
}

/** Payments in a SQL store, their events in the outbox of the same commit. */
export function createSqlPaymentStore(deps: SqlPaymentStoreDeps): PaymentStore {
  const { store } = deps
  return {
    find: (paymentId) => store.read((tx) => findIn(tx, paymentId)),
    list: (query) => store.read((tx) => list(tx, query)),
    due: (nowMs, limit) => store.read(async (tx) => (await tx.all(due, { nowMs, limit })).map(fromRow)),
    waiting: () =>
      store.read(async (tx) => {
        const row = await tx.get(waiting, {})
        return { count: row?.count ?? 0, sinceMs: row?.sinceMs ?? undefined }
      }),
    forgetReports: (before) => store.write(async (tx) => (await tx.run(forgetReports, before)).changes),
    unit: (work) => store.write((tx) => work(createUnit(tx, deps))),
  } satisfies PaymentStore
}

function createUnit(tx: SqlWriter<PaymentSchema>, deps: SqlPaymentStoreDeps): PaymentUnit {
  async function publish({ payment, event }: PaymentChange): Promise<void> {
    if (event) await deps.outbox.add(tx, [encodePaymentEvent(payment, { type: event, id: deps.ids.next() })])
  }
  return {
    find: (paymentId) => findIn(tx, paymentId),
    async insert(change) {
      await tx.run(insert, toRow(change.payment))
      await publish(change)
    },
    async update(change) {
      await tx.run(update, toRow(change.payment))
      await publish(change)
    },
    async firstReport(provider, reportId) {
      return (await tx.run(insertReport, { provider, reportId, nowMs: deps.clock.nowMs() })).changes === 1
    },
  }
}

async function findIn(tx: SqlReader<PaymentSchema>, paymentId: string): Promise<Payment | undefined> {
  const row = await tx.get(find, { paymentId })
  return row && fromRow(row)
}

async function list(tx: SqlReader<PaymentSchema>, query: PaymentQuery): Promise<readonly Payment[]> {
  let select = tx.query.selectFrom('payment').selectAll()
  if (query.status !== undefined) select = select.where('status', '=', query.status)
  if (query.orderId !== undefined) select = select.where('order_id', '=', query.orderId)
  const after = query.after
  if (after) {
    select = select.where((where) =>
      where.or([
        where('created_at_ms', '<', after.timeMs),
        where.and([where('created_at_ms', '=', after.timeMs), where('payment_id', '<', after.id)]),
      ]),
    )
  }
  const rows = await select.orderBy('created_at_ms', 'desc').orderBy('payment_id', 'desc').limit(query.limit).execute()
  return rows.map(fromRow)
}
