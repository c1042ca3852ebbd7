import { idempotencyMigration, type Migration } from '@plinth/data'
import { outboxMigration } from '@plinth/messaging'

/** Everything the catalogue keeps, oldest change first. The engines differ in full-text search and in collation. */
export const catalogMigrations: readonly Migration[] = [
  idempotencyMigration('0001_idempotency'),
  { id: '0002_outbox', up: outboxMigration.up },
  {
    id: '0003_products',
    up: {
      sqlite: `
        create table product (
          seq integer primary key,
          product_id text not null unique,
          sku text not null unique,
          title text not null,
          description text not null,
          category text not null,
          price_minor integer not null,
          currency text not null,
          attributes text not null,
          archived integer not null,
          created_at_ms integer not null,
          updated_at_ms integer not null,
          version integer not null
        );
        create index product_by_title on product (title, product_id) where archived = 0;
        create index product_by_category on product (category, title, product_id) where archived = 0;
        create virtual table product_search using fts5 (
          title, description, facts, content = '', contentless_delete = 1, prefix = '2 3'
        );
        create table stock (
          product_id text primary key,
          available integer not null check (available >= 0),
          held integer not null check (held >= 0),
          sold integer not null check (sold >= 0)
        ) without rowid;
        create view product_card as
          select p.seq, p.product_id as "productId", p.sku, p.title, p.description, p.category,
            p.price_minor as "priceMinor", p.currency, p.attributes, p.archived, p.created_at_ms as "createdAtMs",
            p.updated_at_ms as "updatedAtMs", p.version, k.available
          from product p join stock k on k.product_id = p.product_id;
        create table reservation (
          reservation_id text primary key,
          state text not null,
          lines text not null,
          expires_at_ms integer not null
        ) without rowid;
        create index reservation_due on reservation (expires_at_ms) where state = 'held';
        create table product_change (
          sequence integer primary key autoincrement,
          product_id text not null,
          type text not null
        );`,
      postgres: `
        create table product (
          seq bigint generated always as identity primary key,
          product_id text collate "C" not null unique,
          sku text collate "C" not null unique,
          title text collate "C" not null,
          description text not null,
          category text collate "C" not null,
          price_minor bigint not null,
          currency text not null,
          attributes text not null,
          archived integer not null,
          created_at_ms bigint not null,
          updated_at_ms bigint not null,
          version bigint not null,
          search tsvector
        );
        create index product_by_title on product (title, product_id) where archived = 0;
        create index product_by_category on product (category, title, product_id) where archived = 0;
        create index product_by_word on product using gin (search);
        create table stock (
          product_id text collate "C" primary key,
          available bigint not null check (available >= 0),
          held bigint not null check (held >= 0),
          sold bigint not null check (sold >= 0)
        );
        create view product_card as
          select p.seq, p.product_id as "productId", p.sku, p.title, p.description, p.category,
            p.price_minor as "priceMinor", p.currency, p.attributes, p.archived, p.created_at_ms as "createdAtMs",
            p.updated_at_ms as "updatedAtMs", p.version, k.available
          from product p join stock k on k.product_id = p.product_id;
        create table reservation (
          reservation_id text collate "C" primary key,
          state text not null,
          lines text not null,
          expires_at_ms bigint not null
        );
        create index reservation_due on reservation (expires_at_ms) where state = 'held';
        create table product_change (
          sequence bigint generated always as identity primary key,
          product_id text not null,
          type text not null
        );`,
    },
  },
  {
    id: '0004_settled_reservations',
    up: `create index reservation_settled on reservation (state, expires_at_ms) where state <> 'held'`,
  },
]
