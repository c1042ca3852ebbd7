import { isUuid, PlatformError } from '@plinth/base'
import { CatalogService, type Product } from '@plinth/catalog-service/contract'
import type { Terminal } from '../terminal.ts'
import { clean, money, time } from '../text.ts'
import type { Remote } from './remote.ts'

/**
 * The id of a product that a person named by its id or its SKU.
 *
 * @throws PlatformError `plinth.product_unknown` (not_found) when no product has that SKU.
 */
export async function productIdOf(remote: Remote, name: string): Promise<string> {
  if (isUuid(name)) return name
  const { products } = await remote.client(CatalogService).searchProducts({ q: name.slice(0, 200), pageSize: 100 })
  const found = products.find(({ sku }) => sku.toLowerCase() === name.toLowerCase())
  if (found) return found.productId
  throw new PlatformError(`Cannot find a product with the SKU or id "${clean(name).slice(0, 100)}"`, {
    kind: 'not_found',
    code: 'plinth.product_unknown',
  })
}

/** Products as columns. */
export function productColumns(terminal: Terminal, products: readonly Product[]): readonly string[] {
  if (products.length === 0) return ['No products.']
  return terminal.columns([
    ['SKU', 'PRICE', 'STOCK', 'CATEGORY', 'TITLE'],
    ...products.map((each) => [
      clean(each.sku),
      money(each.price),
      each.available,
      clean(each.category),
      clean(each.title),
    ]),
  ])
}

/** One product with everything of it. */
export function productLines(terminal: Terminal, product: Product): readonly string[] {
  const { bold, dim } = terminal.style
  const facts: readonly (readonly [string, string])[] = [
    ['price', money(product.price)],
    ['stock', String(product.available)],
    ['category', clean(product.category)],
    ...Object.entries(product.attributes).map(([name, value]) => [clean(name), clean(value)] as const),
    ['changed', time(product.updatedAt)],
    ['id', product.productId],
    ['etag', clean(product.etag)],
  ]
  return [
    `${bold(clean(product.title))}  ${dim(clean(product.sku))}${product.archived ? '  (archived)' : ''}`,
    ...(product.description === '' ? [] : [clean(product.description)]),
    '',
    ...facts.map(([name, value]) => `  ${dim(name.padEnd(12))} ${value}`),
  ]
}
