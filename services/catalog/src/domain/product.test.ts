import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkFacts, type ProductFacts } from './product.ts'

const film: ProductFacts = {
  sku: 'F1',
  title: 'Sunrise',
  description: '',
  category: 'drama',
  priceMinor: 500,
  currency: 'USD',
  attributes: { year: '1995' },
}

describe('checkFacts', () => {
  it('checkFacts() finds nothing wrong with a good product', () => {
    assert.deepEqual(checkFacts(film), [])
  })

  // One row per rule: what is changed, and the field that is named.
  const rows: readonly [Partial<ProductFacts>, keyof ProductFacts][] = [
    [{ sku: "'; drop table" }, 'sku'],
    [{ title: '' }, 'title'],
    [{ title: 'x'.repeat(301) }, 'title'],
    [{ title: 'a\u0000b' }, 'title'],
    [{ title: 'a\ud800b' }, 'title'],
    [{ description: 'x'.repeat(5001) }, 'description'],
    [{ description: '\u0000' }, 'description'],
    [{ category: 'Drama' }, 'category'],
    [{ priceMinor: -1 }, 'priceMinor'],
    [{ priceMinor: 2 ** 53 }, 'priceMinor'],
    [{ priceMinor: 0.5 }, 'priceMinor'],
    [{ currency: 'usd' }, 'currency'],
    [{ attributes: { Year: '1' } }, 'attributes'],
    [{ attributes: { year: 'x'.repeat(301) } }, 'attributes'],
    [{ attributes: { year: '\ud800' } }, 'attributes'],
    [{ attributes: Object.fromEntries(Array.from({ length: 31 }, (_, at) => [`a${at}`, ''])) }, 'attributes'],
  ]
  for (const [change, field] of rows) {
    it(`checkFacts() names ${field} for ${JSON.stringify(change).slice(0, 40)}`, () => {
      assert.deepEqual(
        checkFacts({ ...film, ...change }).map((mistake) => mistake.field),
        [field],
      )
    })
  }
})
