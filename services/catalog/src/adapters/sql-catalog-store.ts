import { type SqlReader, type SqlStore, sweepIdempotency } from '@plinth/data'
import type {
  CatalogStore,
  Facet,
  FeedEntry,
  FeedType,
  ProductQuery,
  ProductSearch,
  SearchResult,
  StockedProduct,
} from '../usecases/ports.ts'
import { fromReservationRow, fromRow } from './product-row.ts'
import * as products from './product-statements.ts'
import * as search from './search-statements.ts'
import { createCatalogUnit, type SqlCatalogUnitDeps } from './sql-catalog-unit.ts'
import * as stock from './stock-statements.ts'

export interface SqlCatalogStoreDeps extends Omit<SqlCatalogUnitDeps, 'changed'> {
  readonly store: SqlStore<unknown>
}

type Reader = SqlReader<unknown>

/** Products, stock, reservations and the change feed in a SQL store. */
export function createSqlCatalogStore(deps: SqlCatalogStoreDeps): CatalogStore {
  const { store } = deps
  const listeners = new Set<(productIds: ReadonlySet<string>) => void>()
  const changed = (productIds: ReadonlySet<string>) => {
    for (const listener of listeners) listener(productIds)
  }
  return {
    find: (productId) => store.read((tx) => find(tx, productId)),
    findMany: (productIds) => store.read((tx) => findMany(tx, productIds)),
    list: (query) => store.read((tx) => list(tx, query)),
    search: (what) => store.read((tx) => runSearch(tx, what)),
    categories: () => store.read((tx) => tx.all(products.categories, {})),
    stock: (productId) => store.read((tx) => tx.get(stock.findStock, { productId })),
    reservation: (reservationId) =>
      store.read(async (tx) => fromReservationRow(await tx.get(stock.findReservation, { reservationId }))),
    expired: (nowMs, limit) =>
      store.read(async (tx) =>
        (await tx.all(stock.expiredReservations, { nowMs, limit })).map((row) => row.reservationId),
      ),
    changes: (after, limit) => store.read((tx) => changes(tx, { after, limit })),
    lastSequence: () => store.read(async (tx) => (await tx.get(products.lastSequence, {}))?.last ?? 0),
    trimChanges: (keep) =>
      store.write(async (tx) => {
        await tx.run(products.trimChanges, { keep })
      }),
    forgetAnswers: (before) => store.write((tx) => sweepIdempotency(tx, before)),
    forgetReservations: (state, before) =>
      store.write(async (tx) => (await tx.run(stock.forgetReservations, { state, ...before })).changes),
    unit: (work) => store.write((tx) => work(createCatalogUnit(tx, { ...deps, changed }))),
    onChanged(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  } satisfies CatalogStore
}

async function find(tx: Reader, productId: string): Promise<StockedProduct | undefined> {
  return fromRow(await tx.get(products.findById, { productId }))
}

async function findMany(tx: Reader, productIds: readonly string[]): Promise<readonly StockedProduct[]> {
  const found: StockedProduct[] = []
  for (const productId of productIds) {
    const product = await find(tx, productId)
    if (product) found.push(product)
  }
  return found
}

async function list(tx: Reader, query: ProductQuery): Promise<readonly StockedProduct[]> {
  const { category, limit, after } = query
  const rows =
    after === undefined
      ? await tx.all(products.listFirst, { category, limit })
      : await tx.all(products.listAfter, { category, limit, after })
  return rows.map((row) => fromRow(row))
}

async function runSearch(tx: Reader, what: ProductSearch): Promise<SearchResult> {
  const { category, priceMin, sort, limit, offset } = what
  const inStock = Number(what.inStock)
  const filter = { category, priceMin, priceMax: what.priceMax ?? Number.MAX_SAFE_INTEGER, inStock }
  const { category: _, ...byPrice } = filter
  const page = { sort, limit, offset }
  if (what.words.length === 0) {
    return {
      products: (await tx.all(search.allProducts, { ...filter, ...page })).map((row) => fromRow(row)),
      total: (await tx.get(search.countAll, filter))?.count ?? 0,
      categories: await tx.all(search.categoriesOfAll, byPrice),
      prices: bands(await tx.all(search.pricesOfAll, { category, inStock })),
    }
  }
  const match = search.matchText(what.words, tx.dialect)
  return {
    products: (await tx.all(search.matchingProducts, { match, ...filter, ...page })).map((row) => fromRow(row)),
    total: (await tx.get(search.countMatching, { match, ...filter }))?.count ?? 0,
    categories: await tx.all(search.categoriesOfMatching, { match, ...byPrice }),
    prices: bands(await tx.all(search.pricesOfMatching, { match, category, inStock })),
  }
}

function bands(rows: readonly { readonly value: number; readonly count: number }[]): readonly Facet[] {
  return rows.map(({ value, count }) => ({ value: String(value), count }))
}

async function changes(
  tx: Reader,
  page: { readonly after: number; readonly limit: number },
): Promise<readonly FeedEntry[]> {
  const rows = await tx.all(products.changesAfter, page)
  return rows.map((row) => ({ sequence: row.sequence, type: row.type as FeedType, product: fromRow(row) }))
}
