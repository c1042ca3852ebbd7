import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CatalogStore, StockedProduct } from '../usecases/ports.ts'
import { createCachedCatalogStore } from './cached-catalog-store.ts'

/** A store whose reads the test lets through one by one. */
function createSlowStore() {
  const reads: { productId: string; answer(product: StockedProduct | undefined): void }[] = []
  const listeners = new Set<(productIds: ReadonlySet<string>) => void>()
  const store = {
    find: (productId: string) =>
      new Promise<StockedProduct | undefined>((answer) => {
        reads.push({ productId, answer })
      }),
    onChanged(listener: (productIds: ReadonlySet<string>) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  } as unknown as CatalogStore
  const commit = (...productIds: string[]) => {
    for (const listener of listeners) listener(new Set(productIds))
  }
  return { store, reads, commit }
}

const product = (productId: string, version = 1) => ({ productId, version }) as StockedProduct

async function read(cached: CatalogStore, slow: ReturnType<typeof createSlowStore>, found: StockedProduct) {
  const reading = cached.find(found.productId)
  slow.reads.shift()?.answer(found)
  return await reading
}

describe('cached catalogue store', () => {
  it('find() reads a product once until a commit changes it', async () => {
    const slow = createSlowStore()
    const cached = createCachedCatalogStore(slow.store, { productsMax: 10 })
    await read(cached, slow, product('a'))
    assert.equal((await cached.find('a'))?.version, 1)
    slow.commit('b')
    assert.equal((await cached.find('a'))?.version, 1)
    slow.commit('a')
    assert.equal((await read(cached, slow, product('a', 2)))?.version, 2)
    assert.equal((await cached.find('a'))?.version, 2)
    assert.equal(slow.reads.length, 0)
  })

  it('find() does not keep what was read before a commit that came in between', async () => {
    const slow = createSlowStore()
    const cached = createCachedCatalogStore(slow.store, { productsMax: 10 })
    const early = cached.find('a')
    slow.commit('a')
    slow.reads.shift()?.answer(product('a', 1))
    assert.equal((await early)?.version, 1)
    assert.equal((await read(cached, slow, product('a', 2)))?.version, 2)
  })

  it('keeps no more than its bound, dropping what was read longest ago, and nothing that is not there', async () => {
    const slow = createSlowStore()
    const cached = createCachedCatalogStore(slow.store, { productsMax: 2 })
    await read(cached, slow, product('a'))
    await read(cached, slow, product('b'))
    await cached.find('a')
    await read(cached, slow, product('c'))
    await cached.find('a')
    assert.equal(slow.reads.length, 0)
    void cached.find('b')
    assert.equal(slow.reads.length, 1)
    slow.reads.shift()?.answer(undefined)
    void cached.find('missing')
    slow.reads.shift()?.answer(undefined)
    void cached.find('missing')
    assert.equal(slow.reads.length, 1)
  })

  it('refuses a bound that is none', () => {
    const { store } = createSlowStore()
    for (const productsMax of [0, 1_000_001, Number.NaN]) {
      assert.throws(() => createCachedCatalogStore(store, { productsMax }), RangeError)
    }
  })
})
