import type { Product, ProductChange } from '../domain/product.ts'
import type { Reservation, ReservationChange } from '../domain/reservation.ts'

/** A product with the units that can be ordered now. */
export interface StockedProduct extends Product {
  readonly available: number
}

/** The stock figures of one product: on hand = available + held. */
export interface Stock {
  readonly productId: string
  readonly available: number
  readonly held: number
  readonly sold: number
}

export interface ProductQuery {
  readonly category: string
  readonly limit: number
  /** Continue after this product; `undefined` begins with the first. */
  readonly after: string | undefined
}

export type SearchSort = 'relevance' | 'title' | 'price_ascending' | 'price_descending' | 'newest'

export interface ProductSearch {
  /** Words that must all be there; the last may be a beginning. None: everything matches. */
  readonly words: readonly string[]
  readonly category: string
  readonly priceMin: number
  /** `undefined` for no upper bound. */
  readonly priceMax: number | undefined
  readonly inStock: boolean
  readonly sort: SearchSort
  readonly offset: number
  readonly limit: number
}

export interface Facet {
  readonly value: string
  readonly count: number
}

export interface SearchResult {
  readonly products: readonly StockedProduct[]
  readonly total: number
  readonly categories: readonly Facet[]
  readonly prices: readonly Facet[]
}

export type FeedType = 'product_created' | 'product_changed' | 'product_archived' | 'stock_changed'

export interface FeedEntry {
  readonly sequence: number
  readonly type: FeedType
  readonly product: StockedProduct
}

export interface ReserveWish {
  readonly reservationId: string
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[]
  readonly expiresAtMs: number
}

/** What is short, by product. */
export interface Shortage {
  readonly productId: string
  readonly wanted: number
  readonly available: number
}

export interface CatalogUnit {
  find(productId: string): Promise<StockedProduct | undefined>
  findBySku(sku: string): Promise<StockedProduct | undefined>
  /** Writes the product, its search entry, the change feed and its event. */
  save(change: ProductChange): Promise<void>
  stock(productId: string): Promise<Stock | undefined>
  /** Adds to available, unless it would fall below 0: then false. */
  adjust(productId: string, delta: number): Promise<boolean>
  reservation(reservationId: string): Promise<Reservation | undefined>
  /** Takes the stock of all lines. When any is short, the unit must be thrown away: others may have been taken. */
  reserve(wish: ReserveWish): Promise<Reservation | readonly Shortage[]>
  /** Writes a new end of a held reservation. */
  prolong(reservation: Reservation): Promise<void>
  /** Applies the moves of a decided change; false, with nothing done, when a figure would fall below 0. */
  apply(change: ReservationChange): Promise<boolean>
  once<T>(key: OnceKey, work: () => Promise<T>): Promise<T>
}

export interface ForgetBefore {
  readonly beforeMs: number
  readonly rowsMax: number
}

/** Reservations that hold no stock. */
export type SettledState = Exclude<Reservation['state'], 'held'>

export interface OnceKey {
  readonly scope: string
  readonly key: string
  readonly fingerprint: string
}

/** Where products and stock are kept. */
export interface CatalogStore {
  find(productId: string): Promise<StockedProduct | undefined>
  findMany(productIds: readonly string[]): Promise<readonly StockedProduct[]>
  list(query: ProductQuery): Promise<readonly StockedProduct[]>
  search(search: ProductSearch): Promise<SearchResult>
  categories(): Promise<readonly Facet[]>
  stock(productId: string): Promise<Stock | undefined>
  reservation(reservationId: string): Promise<Reservation | undefined>
  /** Ids of held reservations whose time is over, oldest first. */
  expired(nowMs: number, limit: number): Promise<readonly string[]>
  /** Changes after a sequence, oldest first, each with the product as it is now. */
  changes(after: number, limit: number): Promise<readonly FeedEntry[]>
  lastSequence(): Promise<number>
  /** Forgets up to `rowsMax` stored answers given before `beforeMs`. Answers how many. */
  forgetAnswers(before: ForgetBefore): Promise<number>
  /** Forgets up to `rowsMax` reservations in `state` whose time was over before `beforeMs`. Answers how many. */
  forgetReservations(state: SettledState, before: ForgetBefore): Promise<number>
  /** A durable unit of work; see `SqlStore.write`. */
  unit<T>(work: (unit: CatalogUnit) => Promise<T>): Promise<T>
  /** Forgets all changes but the newest `keep`. */
  trimChanges(keep: number): Promise<void>
  /** Calls back after every commit with the products whose facts or stock it changed. Answers how to stop that. */
  onChanged(listener: (productIds: ReadonlySet<string>) => void): () => void
}
