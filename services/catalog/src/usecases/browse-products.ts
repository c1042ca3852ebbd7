import { wordsOf } from '../domain/search-text.ts'
import { productNotFound } from './faults.ts'
import type {
  CatalogStore,
  Facet,
  FeedEntry,
  ProductQuery,
  ProductSearch,
  SearchResult,
  StockedProduct,
} from './ports.ts'

/** Search shows so many matches at most; past them a better question helps more than another page. */
export const searchDepthMax = 1000

const wordsMax = 10
const feedBatch = 100

export interface ProductPage {
  readonly products: readonly StockedProduct[]
  readonly next: ProductQuery['after']
}

/** Everything that looks at products without changing them. */
export function createBrowseProducts(deps: { readonly store: CatalogStore }) {
  const { store } = deps
  return {
    async get(productId: string): Promise<StockedProduct> {
      const product = await store.find(productId)
      if (product) return product
      throw productNotFound(productId)
    },
    async getMany(productIds: readonly string[]): Promise<readonly StockedProduct[]> {
      const found = new Map((await store.findMany(productIds)).map((product) => [product.productId, product]))
      return productIds.flatMap((id) => found.get(id) ?? [])
    },
    async list(query: ProductQuery): Promise<ProductPage> {
      // One more than asked for tells whether there is a next page.
      const found = await store.list({ ...query, limit: query.limit + 1 })
      const products = found.slice(0, query.limit)
      const last = products.at(-1)
      return { products, next: found.length > query.limit ? last?.productId : undefined }
    },
    search(search: Omit<ProductSearch, 'words'> & { readonly text: string }): Promise<SearchResult> {
      const { text, ...rest } = search
      return store.search({ ...rest, words: wordsOf(text).slice(0, wordsMax) })
    },
    categories: (): Promise<readonly Facet[]> => store.categories(),
    async *watch(after: number, signal: AbortSignal): AsyncIterable<FeedEntry> {
      let wake = () => {}
      const stop = store.onChanged(() => wake())
      const onAbort = () => wake()
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        let last = after < 0 ? await store.lastSequence() : after
        while (!signal.aborted) {
          const woken = new Promise<void>((resolve) => {
            wake = resolve
          })
          const entries = await store.changes(last, feedBatch)
          for (const entry of entries) {
            yield entry
            last = entry.sequence
          }
          // Listening began before the look, so a change in between has resolved it already.
          if (entries.length === 0 && !signal.aborted) await woken
        }
      } finally {
        stop()
        signal.removeEventListener('abort', onAbort)
      }
    },
  }
}
