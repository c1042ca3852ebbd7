import { type CatalogService, ImportFormat } from '@plinth/catalog-service/contract'
import type { Client } from '@plinth/rpc'
import { filmLines } from './films.ts'
import { type ImportTotals, importText, type SeedProgress } from './import-text.ts'

/** Loads the films into the catalogue. Running it again changes only what differs. */
export async function seedCatalog(
  catalog: Client<typeof CatalogService>,
  options: { readonly onProgress?: (progress: SeedProgress) => void },
): Promise<Pick<ImportTotals, 'created' | 'changed' | 'unchanged' | 'failed'>> {
  const totals = await importText(catalog, { ...options, text: await filmLines(), format: ImportFormat.JSONL })
  const { created, changed, unchanged, failed } = totals
  return { created, changed, unchanged, failed }
}

/** Whether the catalogue has no product yet. */
export async function isCatalogEmpty(catalog: Client<typeof CatalogService>): Promise<boolean> {
  return (await catalog.listProducts({ pageSize: 1 })).products.length === 0
}
