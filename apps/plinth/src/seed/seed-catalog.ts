import type { CatalogService, ImportReport } from '@plinth/catalog-service/contract'
import type { Client } from '@plinth/rpc'
import { filmToLine, readFilms } from './films.ts'

/** Lines of one import call: small enough for the body limit, large enough to be quick. */
const linesPerCall = 500

export interface SeedProgress {
  readonly done: number
  readonly total: number
}

export type SeedTotals = Pick<ImportReport, 'created' | 'changed' | 'unchanged' | 'failed'>

/** Loads the films into the catalogue. Running it again changes only what differs. */
export async function seedCatalog(
  catalog: Client<typeof CatalogService>,
  options: {
    readonly onProgress?: (progress: SeedProgress) => void
    readonly headers?: Readonly<Record<string, string>>
  },
): Promise<SeedTotals> {
  const films = await readFilms()
  const totals = { created: 0, changed: 0, unchanged: 0, failed: 0 }
  for (let start = 0; start < films.length; start += linesPerCall) {
    const lines = films.slice(start, start + linesPerCall).map((film, index) => filmToLine(film, start + index))
    const file = { contentType: 'application/x-ndjson', data: new TextEncoder().encode(lines.join('\n')) }
    const report = await catalog.importProducts({ file }, { timeoutMs: 60_000, headers: options.headers ?? {} })
    totals.created += report.created
    totals.changed += report.changed
    totals.unchanged += report.unchanged
    totals.failed += report.failed
    options.onProgress?.({ done: Math.min(start + linesPerCall, films.length), total: films.length })
  }
  return totals
}

/** Whether the catalogue has no product yet. */
export async function isCatalogEmpty(catalog: Client<typeof CatalogService>): Promise<boolean> {
  return (await catalog.listProducts({ pageSize: 1 })).products.length === 0
}
