import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { type Product as ProductMessage, ProductSchema } from '../../contract/index.ts'
import type { StockedProduct } from '../usecases/ports.ts'

const messages = new WeakMap<StockedProduct, ProductMessage>()

/** The product as the contract shows it. Made once for each state of a product: those in the cache are read often. */
export function toProductMessage(product: StockedProduct): ProductMessage {
  let message = messages.get(product)
  if (!message) {
    message = createMessage(product)
    messages.set(product, message)
  }
  return message
}

function createMessage(product: StockedProduct): ProductMessage {
  return create(ProductSchema, {
    productId: product.productId,
    sku: product.sku,
    title: product.title,
    description: product.description,
    category: product.category,
    price: { amountMinor: BigInt(product.priceMinor), currency: product.currency },
    attributes: { ...product.attributes },
    available: BigInt(product.available),
    archived: product.archived,
    createdAt: timestampFromMs(product.createdAtMs),
    updatedAt: timestampFromMs(product.updatedAtMs),
    etag: etagOf(product),
  })
}

/** Version of the facts and stock beside it: what a reader sees changes with either. */
function etagOf(product: StockedProduct): string {
  return `${product.version}.${product.available}`
}

/** The version an entity tag names, with quotes or without; `undefined` for none or `*`, `NaN` for one we never gave, which matches nothing. */
export function versionFromEtag(etag: string): number | undefined {
  if (etag === '' || etag === '*') return undefined
  const digits = /^"?(\d{1,15})\.\d{1,15}"?$/.exec(etag)?.[1]
  return digits === undefined ? Number.NaN : Number(digits)
}
