import type { CatalogStore, StockedProduct } from '../usecases/ports.ts'

export interface ProductCacheOptions {
  /** Products kept, the least recently read leave first. 1 to 1,000,000. */
  readonly productsMax: number
}

/**
 * A store that keeps the products read lately in memory. It is exact as long as this process is the only one that
 * writes: a commit takes what it changed out before anyone hears of the commit, and a read that began before it is not
 * kept. So it is for SQLite, which belongs to one process, and not for PostgreSQL.
 */
export function createCachedCatalogStore(store: CatalogStore, options: ProductCacheOptions): CatalogStore {
  if (!(options.productsMax >= 1 && options.productsMax <= 1_000_000)) {
    throw new RangeError(`Cannot cache ${options.productsMax} products: productsMax is from 1 to 1000000`)
  }
  const products = new Map<string, StockedProduct>()
  let commits = 0
  store.onChanged((productIds) => {
    commits++
    for (const productId of productIds) products.delete(productId)
  })

  async function load(productId: string): Promise<StockedProduct | undefined> {
    const before = commits
    const product = await store.find(productId)
    if (product && commits === before) keep(productId, product)
    return product
  }

  function keep(productId: string, product: StockedProduct): void {
    products.set(productId, product)
    if (products.size <= options.productsMax) return
    const oldest = products.keys().next()
    if (!oldest.done) products.delete(oldest.value)
  }

  return {
    ...store,
    find(productId) {
      const known = products.get(productId)
      if (!known) return load(productId)
      // Reading makes it the youngest: a Map keeps the order of insertion.
      products.delete(productId)
      products.set(productId, known)
      return Promise.resolve(known)
    },
  }
}
