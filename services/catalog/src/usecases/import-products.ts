import { checkFacts, createProduct, editProduct, type ProductFacts } from '../domain/product.ts'
import type { EditProductsDeps } from './edit-products.ts'
import type { CatalogUnit } from './ports.ts'

/** One line of a file: the facts it holds, or why it cannot be read. */
export type ImportLine =
  | { readonly line: number; readonly facts: ProductFacts; readonly stock: number | undefined }
  | { readonly line: number; readonly mistakes: readonly ImportMistake[] }

export interface ImportMistake {
  readonly line: number
  readonly field: string
  readonly message: string
}

export interface ImportReport {
  readonly lines: number
  readonly created: number
  readonly changed: number
  readonly unchanged: number
  readonly failed: number
  readonly mistakes: readonly ImportMistake[]
}

/** Lines of one unit of work: enough to share the commit, few enough not to hold others up. */
const unitLines = 100
const mistakesMax = 100

type Outcome = 'created' | 'changed' | 'unchanged'

/** Takes a file in, line by line: a product is known by its SKU. */
export function createImportProducts(deps: EditProductsDeps) {
  return async function importProducts(
    lines: Iterable<ImportLine>,
    options: { readonly dryRun: boolean; readonly signal: AbortSignal },
  ): Promise<ImportReport> {
    const report = { lines: 0, created: 0, changed: 0, unchanged: 0, failed: 0 }
    const mistakes: ImportMistake[] = []
    const seen = new Set<string>()
    let batch: Extract<ImportLine, { facts: ProductFacts }>[] = []

    const flush = async () => {
      options.signal.throwIfAborted()
      for (const outcome of await takeBatch(batch, options.dryRun)) report[outcome]++
      batch = []
    }

    for (const line of lines) {
      report.lines++
      const found = 'mistakes' in line ? line.mistakes : check(line, seen)
      if (found.length > 0) {
        report.failed++
        mistakes.push(...found.slice(0, mistakesMax - mistakes.length))
      } else if ('facts' in line) {
        batch.push(line)
        if (batch.length >= unitLines) await flush()
      }
    }
    if (batch.length > 0) await flush()
    return { ...report, mistakes }
  }

  async function takeBatch(
    batch: readonly Extract<ImportLine, { facts: ProductFacts }>[],
    dryRun: boolean,
  ): Promise<readonly Outcome[]> {
    return await deps.store.unit(async (unit) => {
      const outcomes: Outcome[] = []
      for (const { facts, stock } of batch) outcomes.push(await take(unit, { facts, stock, dryRun }))
      return outcomes
    })
  }

  async function take(
    unit: CatalogUnit,
    row: { readonly facts: ProductFacts; readonly stock: number | undefined; readonly dryRun: boolean },
  ): Promise<Outcome> {
    const { facts, stock, dryRun } = row
    const nowMs = deps.clock.nowMs()
    const known = await unit.findBySku(facts.sku)
    const change = known
      ? editProduct(known, facts, nowMs)
      : createProduct(facts, { productId: deps.ids.next(), nowMs })
    if (change.event && !dryRun) await unit.save(change)
    // Stock in a file is the first stock of a new product; afterwards the inventory alone moves it.
    if (!known && stock && !dryRun) await unit.adjust(change.product.productId, stock)
    if (!known) return 'created'
    return change.event ? 'changed' : 'unchanged'
  }
}

function check(
  line: { readonly line: number; readonly facts: ProductFacts; readonly stock: number | undefined },
  seen: Set<string>,
): readonly ImportMistake[] {
  const mistakes: ImportMistake[] = checkFacts(line.facts).map(({ field, message }) => ({
    line: line.line,
    field: field === 'priceMinor' ? 'price_minor' : field,
    message,
  }))
  const { stock } = line
  if (stock !== undefined && !(Number.isSafeInteger(stock) && stock >= 0 && stock <= 1_000_000)) {
    mistakes.push({ line: line.line, field: 'stock', message: 'must be a whole number from 0 to 1000000' })
  }
  if (seen.has(line.facts.sku)) {
    mistakes.push({ line: line.line, field: 'sku', message: 'stands in this file twice; the first line was taken' })
  }
  seen.add(line.facts.sku)
  return mistakes
}
