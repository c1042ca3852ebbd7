import { type CatalogService, ImportFormat, type ImportReport } from '@plinth/catalog-service/contract'
import type { Client } from '@plinth/rpc'
import { splitRecords } from './split-records.ts'

/** Records of one import call: small enough for the body limit, large enough to be quick. */
const recordsPerCall = 500

/** Mistakes kept for the report. */
const mistakesMax = 200

const timeoutMs = 120_000

/** How far an import is. */
export interface SeedProgress {
  readonly done: number
  readonly total: number
}

/** What a whole import did. */
export type ImportTotals = Pick<ImportReport, 'created' | 'changed' | 'unchanged' | 'failed'> & {
  readonly lines: number
  readonly mistakes: readonly { readonly line: number; readonly field: string; readonly message: string }[]
  /** Mistakes beyond the first 200. */
  readonly mistakesLeftOut: number
}

/** Loads products piece by piece. Lines of mistakes are those of the whole text. Running it again changes nothing. */
export async function importText(
  catalog: Client<typeof CatalogService>,
  options: {
    readonly text: string
    readonly format: ImportFormat
    readonly dryRun?: boolean
    readonly onProgress?: (progress: SeedProgress) => void
  },
): Promise<ImportTotals> {
  const { format, dryRun = false, onProgress } = options
  const isCsv = format === ImportFormat.CSV
  const pieces = splitRecords(options.text, { recordsMax: recordsPerCall, isCsv })
  const total = pieces.reduce((sum, { records }) => sum + records, 0)
  const sums = { lines: 0, created: 0, changed: 0, unchanged: 0, failed: 0 }
  const mistakes: ImportTotals['mistakes'][number][] = []
  let mistakesLeftOut = 0
  let done = 0
  onProgress?.({ done, total })
  for (const { text, lineOffset, records } of pieces) {
    const file = { contentType: isCsv ? 'text/csv' : 'application/x-ndjson', data: new TextEncoder().encode(text) }
    const report = await catalog.importProducts({ file, format, dryRun }, { timeoutMs })
    for (const name of ['lines', 'created', 'changed', 'unchanged', 'failed'] as const) sums[name] += report[name]
    for (const { line, field, message } of report.mistakes) {
      if (mistakes.length < mistakesMax) mistakes.push({ line: line + lineOffset, field, message })
      else mistakesLeftOut++
    }
    done += records
    onProgress?.({ done, total })
  }
  return { ...sums, mistakes, mistakesLeftOut }
}
