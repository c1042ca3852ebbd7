import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import type { CallContext } from '@plinth/rpc'
import { CatalogService } from '../../contract/index.ts'
import type { ProductFacts } from '../domain/product.ts'
import type { Catalog } from '../usecases/catalog.ts'
import { createCatalogRpc } from './catalog-rpc.ts'

const productId = '01890a5d-ac96-774b-bcce-b302099a8057'

/** What an update with this mask asks the use case to change. */
async function factsOf(paths: readonly string[]): Promise<Partial<ProductFacts>> {
  let asked: Partial<ProductFacts> = {}
  const edit = async (change: { readonly facts: Partial<ProductFacts> }) => {
    asked = change.facts
    throw new Error('far enough')
  }
  const rpc = createCatalogRpc({ edit: { edit } } as unknown as Catalog)
  const request = create(CatalogService.method.updateProduct.input, {
    product: { productId, title: 'New', price: { amountMinor: 7n, currency: 'EUR' } },
    updateMask: { paths: [...paths] },
  })
  const context = { requestHeaders: new Map() } as unknown as CallContext
  await (rpc.updateProduct(request, context) as Promise<unknown>).catch((error: unknown) => {
    if (PlatformError.is(error)) throw error
  })
  return asked
}

describe('updateProduct', () => {
  it('updateProduct() changes what the mask names and nothing else', async () => {
    assert.deepEqual(await factsOf(['title']), { title: 'New' })
    assert.deepEqual(await factsOf(['price']), { priceMinor: 7, currency: 'EUR' })
    assert.deepEqual(await factsOf(['price.amount_minor']), { priceMinor: 7 })
    assert.deepEqual(await factsOf(['price.currency']), { currency: 'EUR' })
  })

  it('updateProduct() refuses a mask that names anything else', async () => {
    const wrong = ['available', 'title.length', 'price.units', 'attributes.year', '*', '', '__proto__', 'Title']
    for (const path of wrong) {
      await assert.rejects(
        factsOf(['title', path]),
        (error) => PlatformError.is(error) && error.details.violations?.[0]?.field === 'updateMask',
        path,
      )
    }
    await assert.rejects(factsOf([]), { code: 'catalog.invalid_request' })
  })
})
