import type { Migration } from '@plinth/data'
import { outboxMigration } from '@plinth/messaging'

/** The rows of the payment store. Times are epoch milliseconds, amounts minor units, booleans 0 or 1. */
export interface PaymentRow {
  payment_id: string
  order_id: string
  amount_minor: number
  currency: string
  method: string
  manual_capture: number
  status: string
  failure: string
  provider_reference: string
  pending: string
  pending_since_ms: number
  due_at_ms: number
  tries: number
  attempts: number
  created_at_ms: number
  updated_at_ms: number
}

export interface PaymentSchema {
  payment: PaymentRow
}

/** Everything the payment store keeps, oldest change first. */
export const paymentMigrations: readonly Migration[] = [
  { id: '0001_outbox', up: outboxMigration.up },
  {
    id: '0002_payments',
    up: `
      create table payment (
        payment_id text primary key,
        order_id text not null,
        amount_minor bigint not null,
        currency text not null,
        method text not null,
        manual_capture integer not null,
        status text not null,
        failure text not null,
        provider_reference text not null,
        pending text not null,
        due_at_ms bigint not null,
        tries integer not null,
        attempts integer not null,
        created_at_ms bigint not null,
        updated_at_ms bigint not null
      );
      create index payment_by_order on payment (order_id);
      create index payment_by_time on payment (created_at_ms desc, payment_id desc);
      create index payment_due on payment (due_at_ms) where pending <> '';
      create table provider_report (
        provider text not null,
        report_id text not null,
        seen_at_ms bigint not null,
        primary key (provider, report_id)
      );
      create index provider_report_age on provider_report (seen_at_ms);
    `,
  },
  {
    id: '0003_pending_since',
    up: `
      alter table payment add column pending_since_ms bigint not null default 0;
      update payment set pending_since_ms = updated_at_ms where pending <> '';
    `,
  },
]
