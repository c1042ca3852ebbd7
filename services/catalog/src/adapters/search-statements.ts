import { perDialect, sql } from '@plinth/data'
import type { ProductRow } from './product-statements.ts'

interface Filter {
  readonly category: string
  readonly priceMin: number
  readonly priceMax: number
  readonly inStock: number
}

interface Page {
  readonly sort: string
  readonly limit: number
  readonly offset: number
}

interface Words {
  /** The words in the engine's own notation; {@link matchText} makes it. */
  readonly match: string
}

interface FacetRow {
  readonly value: string
  readonly count: number
}

/** Words for the engine: all of them, the last as a beginning. They hold letters and digits only, so nothing escapes. */
export function matchText(words: readonly string[], dialect: 'sqlite' | 'postgres'): string {
  return dialect === 'sqlite' ? `${words.map((word) => `"${word}"`).join(' ')}*` : `${words.join(' & ')}:*`
}

export const allProducts = sql<Filter & Page, ProductRow>`
  select c.* from product_card c
  where c.archived = 0 and (${'category'} = '' or c.category = ${'category'})
    and c."priceMinor" >= ${'priceMin'} and c."priceMinor" <= ${'priceMax'} and (${'inStock'} = 0 or c.available > 0)
  order by case ${'sort'} when 'price_ascending' then c."priceMinor" when 'price_descending' then -c."priceMinor"
      when 'newest' then -c."createdAtMs" end,
    c.title, c."productId"
  limit ${'limit'} offset ${'offset'}`

export const matchingProducts = perDialect({
  sqlite: sql<Words & Filter & Page, ProductRow>`
    select c.*
    from product_search join product_card c on c.seq = product_search.rowid
    where product_search match ${'match'} and c.archived = 0 and (${'category'} = '' or c.category = ${'category'})
      and c."priceMinor" >= ${'priceMin'} and c."priceMinor" <= ${'priceMax'} and (${'inStock'} = 0 or c.available > 0)
    order by case ${'sort'} when 'relevance' then bm25(product_search, 10.0, 1.0, 3.0)
        when 'price_ascending' then c."priceMinor" when 'price_descending' then -c."priceMinor"
        when 'newest' then -c."createdAtMs" end,
      c.title, c."productId"
    limit ${'limit'} offset ${'offset'}`,
  postgres: sql<Words & Filter & Page, ProductRow>`
    select c.*
    from to_tsquery('simple', ${'match'}) as question, product p join product_card c on c.seq = p.seq
    where p.search @@ question and c.archived = 0 and (${'category'} = '' or c.category = ${'category'})
      and c."priceMinor" >= ${'priceMin'} and c."priceMinor" <= ${'priceMax'} and (${'inStock'} = 0 or c.available > 0)
    order by case ${'sort'} when 'relevance' then -ts_rank('{0.1, 0.1, 0.3, 1.0}', p.search, question)::float8
        when 'price_ascending' then c."priceMinor" when 'price_descending' then -c."priceMinor"
        when 'newest' then -c."createdAtMs" end,
      c.title, c."productId"
    limit ${'limit'} offset ${'offset'}`,
})

export const countAll = sql<Filter, { count: number }>`
  select count(*) as count from product_card c
  where c.archived = 0 and (${'category'} = '' or c.category = ${'category'})
    and c."priceMinor" >= ${'priceMin'} and c."priceMinor" <= ${'priceMax'} and (${'inStock'} = 0 or c.available > 0)`

export const countMatching = perDialect({
  sqlite: sql<Words & Filter, { count: number }>`
    select count(*) as count
    from product_search join product_card c on c.seq = product_search.rowid
    where product_search match ${'match'} and c.archived = 0 and (${'category'} = '' or c.category = ${'category'})
      and c."priceMinor" >= ${'priceMin'} and c."priceMinor" <= ${'priceMax'} and (${'inStock'} = 0 or c.available > 0)`,
  postgres: sql<Words & Filter, { count: number }>`
    select count(*) as count from product p join product_card c on c.seq = p.seq
    where p.search @@ to_tsquery('simple', ${'match'}) and c.archived = 0
      and (${'category'} = '' or c.category = ${'category'})
      and c."priceMinor" >= ${'priceMin'} and c."priceMinor" <= ${'priceMax'} and (${'inStock'} = 0 or c.available > 0)`,
})

/** Counted without the filter by category. */
export const categoriesOfAll = sql<Omit<Filter, 'category'>, FacetRow>`
  select c.category as value, count(*) as count from product_card c
  where c.archived = 0 and c."priceMinor" >= ${'priceMin'}
    and c."priceMinor" <= ${'priceMax'}
    and (${'inStock'} = 0 or c.available > 0)
  group by c.category order by count(*) desc, c.category limit 50`

export const categoriesOfMatching = perDialect({
  sqlite: sql<Words & Omit<Filter, 'category'>, FacetRow>`
    select c.category as value, count(*) as count
    from product_search join product_card c on c.seq = product_search.rowid
    where product_search match ${'match'} and c.archived = 0 and c."priceMinor" >= ${'priceMin'}
      and c."priceMinor" <= ${'priceMax'} and (${'inStock'} = 0 or c.available > 0)
    group by c.category order by count(*) desc, c.category limit 50`,
  postgres: sql<Words & Omit<Filter, 'category'>, FacetRow>`
    select c.category as value, count(*) as count from product p join product_card c on c.seq = p.seq
    where p.search @@ to_tsquery('simple', ${'match'}) and c.archived = 0 and c."priceMinor" >= ${'priceMin'}
      and c."priceMinor" <= ${'priceMax'} and (${'inStock'} = 0 or c.available > 0)
    group by c.category order by count(*) desc, c.category limit 50`,
})

type PriceFacet = Pick<Filter, 'category' | 'inStock'>

/** Counted without the filter by price; a band is named by its lower bound in minor units. */
export const pricesOfAll = sql<PriceFacet, { value: number; count: number }>`
  select case when c."priceMinor" < 500 then 0 when c."priceMinor" < 1000 then 500 when c."priceMinor" < 2000 then 1000
      else 2000 end as value, count(*) as count
  from product_card c
  where c.archived = 0 and (${'category'} = '' or c.category = ${'category'})
    and (${'inStock'} = 0 or c.available > 0)
  group by 1 order by 1`

export const pricesOfMatching = perDialect({
  sqlite: sql<Words & PriceFacet, { value: number; count: number }>`
    select case when c."priceMinor" < 500 then 0 when c."priceMinor" < 1000 then 500 when c."priceMinor" < 2000 then 1000
        else 2000 end as value, count(*) as count
    from product_search join product_card c on c.seq = product_search.rowid
    where product_search match ${'match'} and c.archived = 0 and (${'category'} = '' or c.category = ${'category'})
      and (${'inStock'} = 0 or c.available > 0)
    group by 1 order by 1`,
  postgres: sql<Words & PriceFacet, { value: number; count: number }>`
    select case when c."priceMinor" < 500 then 0 when c."priceMinor" < 1000 then 500 when c."priceMinor" < 2000 then 1000
        else 2000 end as value, count(*) as count
    from product p join product_card c on c.seq = p.seq
    where p.search @@ to_tsquery('simple', ${'match'}) and c.archived = 0
      and (${'category'} = '' or c.category = ${'category'})
    and (${'inStock'} = 0 or c.available > 0)
    group by 1 order by 1`,
})
