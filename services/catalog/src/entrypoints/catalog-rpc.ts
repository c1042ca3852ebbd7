import { invariant, isUuid, PlatformError } from '@plinth/base'
import { onceKey, type ServiceImplementation } from '@plinth/rpc'
import { type CatalogService, ImportFormat, type Product, SearchOrder } from '../../contract/index.ts'
import type { ProductFacts } from '../domain/product.ts'
import { searchDepthMax } from '../usecases/browse-products.ts'
import type { Catalog } from '../usecases/catalog.ts'
import type { SearchSort } from '../usecases/ports.ts'
import { toProductMessage, versionFromEtag } from '../wire/product-message.ts'
import { readImportFile } from './import-file.ts'

const pageSizeDefault = 20

/** Products over every transport. What the contract checks is not checked again. */
export function createCatalogRpc(catalog: Catalog): ServiceImplementation<typeof CatalogService> {
  const { browse, edit } = catalog
  return {
    async listProducts(request) {
      const page = await browse.list({
        category: request.category,
        limit: request.pageSize || pageSizeDefault,
        after: pageStart(request.pageToken),
      })
      return { products: page.products.map(toProductMessage), nextPageToken: page.next ?? '' }
    },
    getProduct: async (request) => toProductMessage(await browse.get(request.productId)),
    batchGetProducts: async (request) => ({
      products: (await browse.getMany(request.productIds)).map(toProductMessage),
    }),
    async searchProducts(request) {
      const limit = request.pageSize || pageSizeDefault
      const offset = searchOffset(request.pageToken)
      const found = await browse.search({
        text: request.q,
        category: request.category,
        priceMin: Number(request.priceMin),
        priceMax: request.priceMax === 0n ? undefined : Number(request.priceMax),
        inStock: request.inStock,
        sort: sortOf(request.order, request.q),
        offset,
        limit,
      })
      const next = offset + limit
      const hasNext = found.total > next && next < searchDepthMax
      return {
        products: found.products.map(toProductMessage),
        nextPageToken: hasNext ? String(next) : '',
        total: found.total,
        categories: [...found.categories],
        prices: [...found.prices],
      }
    },
    listCategories: async () => ({ categories: [...(await browse.categories())] }),
    async createProduct(request, context) {
      invariant(request.product, 'the contract requires a product')
      const created = await edit.create(factsFrom(request.product), onceKey(context, request))
      return toProductMessage(created)
    },
    async updateProduct(request, context) {
      const product = request.product
      if (!product || !isUuid(product.productId)) throw invalid('product.productId', 'Expected the id of a product')
      const etag = product.etag || (context.requestHeaders.get('if-match') ?? '')
      const facts = maskedFacts(product, request.updateMask?.paths ?? [])
      const edited = await edit.edit({ productId: product.productId, version: versionFromEtag(etag), facts })
      return toProductMessage(edited)
    },
    async deleteProduct(request) {
      await edit.archive(request.productId)
      return {}
    },
    async importProducts(request, context) {
      invariant(request.file, 'the contract requires a file')
      const isCsv =
        request.format === ImportFormat.CSV ||
        (request.format === ImportFormat.UNSPECIFIED && /^text\/csv\b/i.test(request.file.contentType))
      const lines = readImportFile(request.file.data, isCsv ? 'csv' : 'jsonl')
      const report = await catalog.import(lines, { dryRun: request.dryRun, signal: context.signal })
      return { ...report, mistakes: [...report.mistakes], dryRun: request.dryRun }
    },
    async *watchProducts(request, context) {
      for await (const { sequence, type, product } of browse.watch(Number(request.after), context.signal)) {
        yield { sequence: BigInt(sequence), type, product: toProductMessage(product) }
      }
    },
  }
}

function pageStart(token: string): string | undefined {
  if (token === '') return undefined
  if (isUuid(token)) return token
  throw invalid('pageToken', 'Expected a next_page_token')
}

function searchOffset(token: string): number {
  if (token === '') return 0
  const offset = /^[1-9]\d{0,3}$/.test(token) ? Number(token) : Number.NaN
  if (offset < searchDepthMax) return offset
  throw invalid('pageToken', 'Expected a next_page_token')
}

function sortOf(order: SearchOrder, text: string): SearchSort {
  switch (order) {
    case SearchOrder.TITLE:
      return 'title'
    case SearchOrder.PRICE_ASCENDING:
      return 'price_ascending'
    case SearchOrder.PRICE_DESCENDING:
      return 'price_descending'
    case SearchOrder.NEWEST:
      return 'newest'
    default:
      return text.trim() === '' ? 'title' : 'relevance'
  }
}

function factsFrom(product: Product): ProductFacts {
  const { sku, title, description, category, attributes } = product
  const priceMinor = Number(product.price?.amountMinor ?? 0n)
  return { sku, title, description, category, priceMinor, currency: product.price?.currency ?? '', attributes }
}

function maskedFacts(product: Product, paths: readonly string[]): Partial<ProductFacts> {
  if (paths.length === 0) throw invalid('updateMask', 'Name what changes')
  const all = factsFrom(product)
  const facts: { -readonly [K in keyof ProductFacts]?: ProductFacts[K] } = {}
  for (const path of paths) {
    if (path === 'sku' || path === 'title' || path === 'description' || path === 'category') {
      facts[path] = all[path]
    } else if (path === 'attributes') {
      facts.attributes = all.attributes
    } else if (path === 'price' || path === 'price.amount_minor' || path === 'price.currency') {
      if (path !== 'price.currency') facts.priceMinor = all.priceMinor
      if (path !== 'price.amount_minor') facts.currency = all.currency
    } else if (path !== 'product_id' && path !== 'etag') {
      throw invalid(
        'updateMask',
        `Cannot change "${path}": sku, title, description, category, price and attributes can`,
      )
    }
  }
  return facts
}

function invalid(field: string, message: string): PlatformError {
  return new PlatformError(`Cannot take the request: ${field} is not as expected`, {
    kind: 'invalid',
    code: 'catalog.invalid_request',
    details: { violations: [{ field, rule: 'catalog', message }] },
  })
}
