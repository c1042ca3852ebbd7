import { idempotencyMigration, type Migration } from '@plinth/data'
import { inboxMigration, outboxMigration } from '@plinth/messaging'

/** The rows of the order store. Times are epoch milliseconds, amounts minor units, booleans 0 or 1. */
export interface OrderRow {
  order_id: string
  customer_id: string
  status: string
  lines: string
  currency: string
  total_minor: number
  note: string
  shipping_address: string
  created_at_ms: number
  updated_at_ms: number
  pay_by_ms: number
  payment_id: string
  payment_method: string
  payment_failure: string
  tracking_code: string
  cancel_reason: string
  cancel_requested: number
  goods_left: number
  deleted: number
  version: number
  /** What happened so far: one JSON object a line, appended to by every change. */
  timeline: string
}

export interface OrderSchema {
  customer_order: OrderRow
}

/** Everything the order store keeps, oldest change first. */
export const orderMigrations: readonly Migration[] = [
  idempotencyMigration('0001_idempotency'),
  { id: '0002_outbox', up: outboxMigration.up },
  { id: '0003_inbox', up: inboxMigration.up },
  {
    id: '0004_orders',
    up: `
      create table customer_order (
        order_id text primary key,
        customer_id text not null,
        status text not null,
        lines text not null,
        currency text not null,
        total_minor bigint not null,
        note text not null,
        shipping_address text not null,
        created_at_ms bigint not null,
        updated_at_ms bigint not null,
        pay_by_ms bigint not null,
        payment_id text not null,
        payment_method text not null,
        payment_failure text not null,
        tracking_code text not null,
        cancel_reason text not null,
        cancel_requested integer not null,
        goods_left integer not null,
        deleted integer not null,
        version bigint not null,
        timeline text not null
      );
      create index customer_order_by_customer on customer_order (customer_id, created_at_ms desc, order_id desc);
      create index customer_order_by_time on customer_order (created_at_ms desc, order_id desc);
      create index customer_order_unpaid on customer_order (pay_by_ms) where status = 'placed';
      create index customer_order_waiting on customer_order (updated_at_ms) where status in ('paying', 'refunding');
      create table cart_line (
        customer_id text not null,
        product_id text not null,
        quantity integer not null,
        primary key (customer_id, product_id)
      );
    `,
  },
]
