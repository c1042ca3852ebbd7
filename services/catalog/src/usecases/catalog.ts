/**
 * The table of contents: everything that can be done with products and stock.
 * @module
 */
import { createBrowseProducts } from './browse-products.ts'
import { createEditProducts, type EditProductsDeps } from './edit-products.ts'
import { createForgetOld, type ForgetOldDeps } from './forget-old.ts'
import { createImportProducts } from './import-products.ts'
import { createInventory } from './inventory.ts'

export function createCatalog(deps: EditProductsDeps & ForgetOldDeps) {
  return {
    browse: createBrowseProducts(deps),
    edit: createEditProducts(deps),
    import: createImportProducts(deps),
    inventory: createInventory(deps),
    forgetOld: createForgetOld(deps),
  }
}

export type Catalog = ReturnType<typeof createCatalog>
