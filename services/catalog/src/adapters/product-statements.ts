import { perDialect, sql } from '@plinth/data'

/** A product with its stock as the statements below select it. */
export interface ProductRow {
  readonly productId: string
  readonly sku: string
  readonly title: string
  readonly description: string
  readonly category: string
  readonly priceMinor: number
  readonly currency: string
  readonly attributes: string
  readonly archived: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly version: number
  readonly available: number
}

type Facts = Omit<ProductRow, 'available'>

export const findById = sql<{ productId: string }, ProductRow>`
  select c.* from product_card c
  where c."productId" = ${'productId'}`

export const findBySku = sql<{ sku: string }, ProductRow>`
  select c.* from product_card c
  where c.sku = ${'sku'}`

interface Listing {
  readonly category: string
  readonly limit: number
}

export const listFirst = sql<Listing, ProductRow>`
  select c.* from product_card c
  where c.archived = 0 and (${'category'} = '' or c.category = ${'category'})
  order by c.title, c."productId" limit ${'limit'}`

export const listAfter = sql<Listing & { readonly after: string }, ProductRow>`
  select c.* from product_card c
  where c.archived = 0 and (${'category'} = '' or c.category = ${'category'})
    and (c.title, c."productId") > (select title, product_id from product where product_id = ${'after'})
  order by c.title, c."productId" limit ${'limit'}`

export const categories = sql<Record<never, never>, { value: string; count: number }>`
  select category as value, count(*) as count from product where archived = 0
  group by category order by count(*) desc, category limit 1000`

export const insertProduct = sql<Facts>`
  insert into product (product_id, sku, title, description, category, price_minor, currency, attributes, archived,
    created_at_ms, updated_at_ms, version)
  values (${'productId'}, ${'sku'}, ${'title'}, ${'description'}, ${'category'}, ${'priceMinor'}, ${'currency'},
    ${'attributes'}, ${'archived'}, ${'createdAtMs'}, ${'updatedAtMs'}, ${'version'})`

export const updateProduct = sql<Facts>`
  update product set sku = ${'sku'}, title = ${'title'}, description = ${'description'}, category = ${'category'},
    price_minor = ${'priceMinor'}, currency = ${'currency'}, attributes = ${'attributes'}, archived = ${'archived'},
    updated_at_ms = ${'updatedAtMs'}, version = ${'version'}
  where product_id = ${'productId'}`

interface SearchEntry {
  readonly productId: string
  readonly title: string
  readonly description: string
  readonly facts: string
}

/** Writes the search entry of a product; the texts are folded words. */
export const indexProduct = perDialect({
  sqlite: sql<SearchEntry>`
    insert or replace into product_search (rowid, title, description, facts)
    values ((select seq from product where product_id = ${'productId'}), ${'title'}, ${'description'}, ${'facts'})`,
  postgres: sql<SearchEntry>`
    update product set search = setweight(to_tsvector('simple', ${'title'}), 'A')
      || setweight(to_tsvector('simple', ${'facts'}), 'B')
      || setweight(to_tsvector('simple', ${'description'}), 'C')
    where product_id = ${'productId'}`,
})

/**
 * Makes the sequence of changes the order of their commits: on PostgreSQL numbers are drawn before the commit, and a
 * reader that saw 7 must never find a 6 later. SQLite has one writer.
 */
export const lockChanges = perDialect({
  sqlite: sql`select 1 as locked`,
  postgres: sql`select 1 as locked from pg_advisory_xact_lock(hashtext('plinth.catalog.product_change'))`,
})

export const insertChange = sql<{ productId: string; type: string }>`
  insert into product_change (product_id, type) values (${'productId'}, ${'type'})`

export const lastSequence = sql<Record<never, never>, { last: number | null }>`
  select max(sequence) as last from product_change`

export const trimChanges = sql<{ keep: number }>`
  delete from product_change where sequence <= (select max(sequence) from product_change) - ${'keep'}`

export interface ChangeRow extends ProductRow {
  readonly sequence: number
  readonly type: string
}

export const changesAfter = sql<{ after: number; limit: number }, ChangeRow>`
  select f.sequence, f.type, c.* from product_change f join product_card c on c."productId" = f.product_id
  where f.sequence > ${'after'} order by f.sequence limit ${'limit'}`
