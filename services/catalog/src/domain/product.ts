/** One product as it stands. Amounts are minor units; times are UTC milliseconds. */
export interface Product {
  readonly productId: string
  readonly sku: string
  readonly title: string
  readonly description: string
  readonly category: string
  readonly priceMinor: number
  readonly currency: string
  readonly attributes: Readonly<Record<string, string>>
  readonly archived: boolean
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly version: number
}

/** What an editor decides about a product. */
export type ProductFacts = Pick<
  Product,
  'sku' | 'title' | 'description' | 'category' | 'priceMinor' | 'currency' | 'attributes'
>

export type ProductEventType = 'product_created' | 'product_changed' | 'product_archived'

/** A decision: the product after it and what happened; no event means nothing changed. */
export interface ProductChange {
  readonly product: Product
  readonly event: ProductEventType | undefined
}

/** One mistake in the facts of a product. */
export interface FactMistake {
  readonly field: keyof ProductFacts
  readonly message: string
}

/** The largest price: far above any shop, far below where sums of minor units lose exactness (2^53). */
const priceMinorMax = 10 ** 11

export function createProduct(
  facts: ProductFacts,
  at: { readonly productId: string; readonly nowMs: number },
): ProductChange {
  return {
    product: {
      ...facts,
      productId: at.productId,
      archived: false,
      createdAtMs: at.nowMs,
      updatedAtMs: at.nowMs,
      version: 1,
    },
    event: 'product_created',
  }
}

/** Writing the same facts again changes nothing. Editing an archived product brings it back. */
export function editProduct(product: Product, facts: ProductFacts, nowMs: number): ProductChange {
  if (!product.archived && isSame(product, facts)) return { product, event: undefined }
  return {
    product: { ...product, ...facts, archived: false, updatedAtMs: nowMs, version: product.version + 1 },
    event: 'product_changed',
  }
}

export function archiveProduct(product: Product, nowMs: number): ProductChange {
  if (product.archived) return { product, event: undefined }
  return {
    product: { ...product, archived: true, updatedAtMs: nowMs, version: product.version + 1 },
    event: 'product_archived',
  }
}

/** All mistakes in the facts of a product. The same bounds as in the contract, for what does not come through it. */
export function checkFacts(facts: ProductFacts): readonly FactMistake[] {
  const mistakes: FactMistake[] = []
  const check = (field: keyof ProductFacts, holds: boolean, message: string) => {
    if (!holds) mistakes.push({ field, message })
  }
  check('sku', /^[A-Za-z0-9.-]{1,64}$/.test(facts.sku), 'must be 1 to 64 letters, digits, dots or dashes')
  check('title', facts.title.length >= 1 && facts.title.length <= 300, 'must have 1 to 300 characters')
  check('description', facts.description.length <= 5000, 'must have at most 5000 characters')
  check('category', /^[a-z0-9-]{1,64}$/.test(facts.category), 'must be 1 to 64 small letters, digits or dashes')
  const price = facts.priceMinor
  check(
    'priceMinor',
    Number.isSafeInteger(price) && price >= 0 && price <= priceMinorMax,
    `must be a whole number of minor units from 0 to ${priceMinorMax}`,
  )
  check('currency', /^[A-Z]{3}$/.test(facts.currency), 'must be an ISO 4217 code such as USD')
  for (const field of ['title', 'description'] as const) check(field, isText(facts[field]), notText)
  const pairs = Object.entries(facts.attributes)
  check('attributes', Object.values(facts.attributes).every(isText), notText)
  check('attributes', pairs.length <= 30, 'must be at most 30')
  check(
    'attributes',
    pairs.every(([name, value]) => /^[a-z][a-z0-9_]{0,39}$/.test(name) && value.length <= 300),
    'must have names of small letters, digits and underscores, and values of at most 300 characters',
  )
  return mistakes
}

const notText = 'must be well-formed Unicode without NUL'

function isText(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0')
}

function isSame(product: Product, facts: ProductFacts): boolean {
  const { attributes, ...plain } = facts
  const entries = Object.entries(attributes)
  return (
    Object.entries(plain).every(([name, value]) => product[name as keyof ProductFacts] === value) &&
    entries.length === Object.keys(product.attributes).length &&
    entries.every(([name, value]) => product.attributes[name] === value)
  )
}
