import type { Clock, Ids } from '@plinth/base'
import {
  archiveProduct,
  checkFacts,
  createProduct,
  editProduct,
  type Product,
  type ProductFacts,
} from '../domain/product.ts'
import { invalidProduct, productNotFound, skuTaken, staleProduct } from './faults.ts'
import type { CatalogStore, CatalogUnit, OnceKey, StockedProduct } from './ports.ts'

export interface EditProductsDeps {
  readonly store: CatalogStore
  readonly clock: Pick<Clock, 'nowMs'>
  readonly ids: Ids
}

export interface EditRequest {
  readonly productId: string
  /** The version the editor saw; another one is refused with `catalog.stale`. */
  readonly version: number | undefined
  /** The facts that change. */
  readonly facts: Partial<ProductFacts>
}

/** Creating, editing and archiving single products. */
export function createEditProducts(deps: EditProductsDeps) {
  const { store, clock, ids } = deps
  return {
    create: (facts: ProductFacts, once: OnceKey | undefined): Promise<StockedProduct> =>
      store.unit(async (unit) => {
        const work = async () => {
          check(facts)
          if (await unit.findBySku(facts.sku)) throw skuTaken(facts.sku)
          const change = createProduct(facts, { productId: ids.next(), nowMs: clock.nowMs() })
          await unit.save(change)
          return { ...change.product, available: 0 }
        }
        return once ? await unit.once(once, work) : await work()
      }),
    edit: (request: EditRequest): Promise<StockedProduct> =>
      store.unit(async (unit) => {
        const product = await findOrThrow(unit, request.productId)
        if (request.version !== undefined && request.version !== product.version) throw staleProduct(product.version)
        const facts = { ...factsOf(product), ...request.facts }
        check(facts)
        if (facts.sku !== product.sku && (await unit.findBySku(facts.sku))) throw skuTaken(facts.sku)
        const change = editProduct(product, facts, clock.nowMs())
        if (change.event) await unit.save(change)
        return { ...change.product, available: product.available }
      }),
    archive: (productId: string): Promise<void> =>
      store.unit(async (unit) => {
        const change = archiveProduct(await findOrThrow(unit, productId), clock.nowMs())
        if (change.event) await unit.save(change)
      }),
  }
}

function factsOf(product: Product): ProductFacts {
  const { sku, title, description, category, priceMinor, currency, attributes } = product
  return { sku, title, description, category, priceMinor, currency, attributes }
}

async function findOrThrow(unit: CatalogUnit, productId: string): Promise<StockedProduct> {
  const product = await unit.find(productId)
  if (product) return product
  throw productNotFound(productId)
}

function check(facts: ProductFacts): void {
  const mistakes = checkFacts(facts)
  if (mistakes.length > 0) throw invalidProduct(mistakes)
}
