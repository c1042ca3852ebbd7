import { readFile, stat } from 'node:fs/promises'
import { PlatformError, systemClock } from '@plinth/base'
import { CatalogService, ImportFormat } from '@plinth/catalog-service/contract'
import { type Command, Option } from 'commander'
import { type ImportTotals, importText } from '../seed/import-text.ts'
import type { Remote } from './remote/remote.ts'
import { clean, progressBar } from './text.ts'

/** Options of every command that loads products. */
export interface ImportOptions {
  readonly format?: 'csv' | 'jsonl'
  readonly dryRun?: boolean
}

const fileBytesMax = 256 * 1024 * 1024

/** Adds the options of {@link ImportOptions}. */
export function addImportOptions(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'of the file (default: by its name)').choices(['csv', 'jsonl']))
    .option('--dry-run', 'only check: change nothing')
}

/** Loads a file of products; false when some lines had mistakes. */
export async function importFile(
  remote: Remote,
  options: ImportOptions & { readonly file: string; readonly stdin: NodeJS.ReadableStream },
): Promise<boolean> {
  const { file, stdin } = options
  const format = options.format ?? (file.endsWith('.csv') ? 'csv' : 'jsonl')
  const text = file === '-' ? await readAll(stdin) : await readBounded(file)
  return await importProducts(remote, { text, format, dryRun: options.dryRun ?? false })
}

/** Loads products and tells how that went; false when some lines had mistakes. */
export async function importProducts(
  { client, terminal }: Remote,
  source: { readonly text: string; readonly format: 'csv' | 'jsonl'; readonly dryRun: boolean },
): Promise<boolean> {
  const startMs = systemClock.monotonicMs()
  const totals = await importText(client(CatalogService), {
    ...source,
    format: source.format === 'csv' ? ImportFormat.CSV : ImportFormat.JSONL,
    onProgress: ({ done, total }) =>
      terminal.progress(progressBar({ done, total, tookMs: systemClock.monotonicMs() - startMs })),
  })
  terminal.answer({ ...totals, dryRun: source.dryRun }, () => reportLines(totals, source.dryRun))
  return totals.failed === 0
}

function reportLines(totals: ImportTotals, dryRun: boolean): readonly string[] {
  const { created, changed, unchanged, failed, mistakes } = totals
  const lines = mistakes.map(
    ({ line, field, message }) => `line ${line}: ${field === '' ? '' : `${clean(field)} `}${clean(message)}`,
  )
  if (totals.mistakesLeftOut > 0) lines.push(`and ${totals.mistakesLeftOut} more mistakes`)
  lines.push(
    `${dryRun ? 'Would be: ' : ''}${created} created, ${changed} changed, ${unchanged} as they were, ${failed} refused`,
  )
  return lines
}

async function readBounded(path: string): Promise<string> {
  let bytes: Buffer
  try {
    if ((await stat(path)).size > fileBytesMax) throw tooLarge(path)
    bytes = await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EISDIR') throw error
    throw new PlatformError(`Cannot read ${path}: ${code === 'ENOENT' ? 'there is no such file' : code}`, {
      kind: 'not_found',
      code: 'plinth.file_unreadable',
      cause: error,
    })
  }
  return decode(bytes, path)
}

async function readAll(stdin: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > fileBytesMax) throw tooLarge('stdin')
    chunks.push(bytes)
  }
  return decode(Buffer.concat(chunks), 'stdin')
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new PlatformError(`Cannot read ${name}: it is not UTF-8 text`, {
      kind: 'invalid',
      code: 'plinth.file_not_text',
      cause,
    })
  }
}

function tooLarge(name: string): PlatformError {
  return new PlatformError(`Cannot read ${name}: it is larger than ${fileBytesMax / 1024 / 1024} MiB; split it`, {
    kind: 'exhausted',
    code: 'plinth.file_too_large',
  })
}
