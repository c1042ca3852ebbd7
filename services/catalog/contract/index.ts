/**
 * What others may know of the catalogue: messages, events and the contracts to call it by.
 * @module
 */

/** What is written in these contracts, for the API reference. */
export { default as catalogComments } from './gen/comments.json' with { type: 'json' }

import { defineContract } from '@plinth/rpc/client'
import { CatalogService } from './gen/plinth/catalog/v1/catalog_pb.ts'
import { InventoryService } from './gen/plinth/catalog/v1/inventory_pb.ts'

export {
  CatalogService,
  type FacetCount,
  ImportFormat,
  type ImportReport,
  type Product,
  type ProductChange,
  ProductChangeSchema,
  ProductSchema,
  SearchOrder,
  type SearchProductsRequest,
} from './gen/plinth/catalog/v1/catalog_pb.ts'
export { InventoryService, type ReservedLine } from './gen/plinth/catalog/v1/inventory_pb.ts'

/** Products. */
export const catalogContract = defineContract('catalog.catalog', CatalogService)

/** Stock that is promised before it is sold. */
export const inventoryContract = defineContract('catalog.inventory', InventoryService)

/** The topic of everything that happens to products; the key is the product id, the payload a `ProductChange`. */
export const productTopic = 'catalog.product'
