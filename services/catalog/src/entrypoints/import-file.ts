import { PlatformError } from '@plinth/base'
import { parse } from 'csv-parse/sync'
import type { ProductFacts } from '../domain/product.ts'
import type { ImportLine, ImportMistake } from '../usecases/import-products.ts'

/** Characters of one line; a longer one is a mistake of that line. */
const lineCharsMax = 20_000

const attributePrefix = 'attributes.'
const fields = ['sku', 'title', 'description', 'category', 'price_minor', 'currency', 'stock', 'attributes'] as const

/** What the fields of a line are called in the facts of a product. */
const required = ['sku', 'title', 'category', 'price_minor', 'currency'] as const

/** @throws PlatformError `catalog.import_not_text` when the bytes are not UTF-8. */
export function readImportFile(bytes: Uint8Array, format: 'jsonl' | 'csv'): Iterable<ImportLine> {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new PlatformError('Cannot read the file: it is not UTF-8 text', {
      kind: 'invalid',
      code: 'catalog.import_not_text',
      cause,
    })
  }
  return format === 'csv' ? csvLines(text) : jsonLines(text)
}

function* jsonLines(text: string): Generator<ImportLine> {
  let line = 0
  let start = 0
  while (start < text.length) {
    const end = text.indexOf('\n', start)
    const content = text.slice(start, end < 0 ? undefined : end).trim()
    start = end < 0 ? text.length : end + 1
    line++
    if (content !== '') yield jsonLine(content, line)
  }
}

function jsonLine(content: string, line: number): ImportLine {
  if (content.length > lineCharsMax) return unreadable(line, `must have at most ${lineCharsMax} characters`)
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch (error) {
    return unreadable(line, `must be JSON: ${(error as Error).message.slice(0, 200)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return unreadable(line, 'must be a JSON object')
  }
  const record = new Map(Object.entries(value))
  const attributes = record.get('attributes') ?? {}
  const unknown = [...record.keys()].filter((name) => !(fields as readonly string[]).includes(name))
  if (unknown.length > 0) return wrong(line, unknown[0]!, `is unknown; known are ${fields.join(', ')}`)
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    return wrong(line, 'attributes', 'must be an object of texts')
  }
  return toLine(line, record, new Map(Object.entries(attributes)))
}

function* csvLines(text: string): Generator<ImportLine> {
  const failed: ImportLine[] = []
  let twice: string | undefined
  const rows = parse(text, {
    columns(header: string[]) {
      const names = header.map((name) => name.trim())
      twice = names.find((name, at) => names.indexOf(name) !== at)
      return names
    },
    bom: true,
    info: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: lineCharsMax,
    on_skip: (error) => {
      failed.push(unreadable(Number(error?.lines ?? 0), error?.message.slice(0, 200) ?? 'cannot be read'))
      return undefined
    },
  }) as unknown as readonly { readonly record: Record<string, string>; readonly info: { readonly lines: number } }[]
  // Which of the two was meant nobody can tell, in any line.
  if (twice !== undefined) {
    yield wrong(1, twice, 'stands in the header twice')
    return
  }
  yield* failed
  for (const { record, info } of rows) yield csvLine(new Map(Object.entries(record)), info.lines)
}

function csvLine(record: ReadonlyMap<string, string>, line: number): ImportLine {
  const facts = new Map<string, unknown>()
  const attributes = new Map<string, unknown>()
  for (const [name, value] of record) {
    if (name.startsWith(attributePrefix)) {
      if (value !== '') attributes.set(name.slice(attributePrefix.length), value)
    } else if (!(fields as readonly string[]).includes(name) || name === 'attributes') {
      return wrong(line, name, `is unknown; known are ${fields.slice(0, -1).join(', ')} and ${attributePrefix}<name>`)
    } else if (name === 'price_minor' || name === 'stock') {
      if (value !== '') facts.set(name, /^\d{1,15}$/.test(value) ? Number(value) : value)
    } else {
      facts.set(name, value)
    }
  }
  return toLine(line, facts, attributes)
}

function toLine(
  line: number,
  record: ReadonlyMap<string, unknown>,
  attributes: ReadonlyMap<string, unknown>,
): ImportLine {
  const mistakes: ImportMistake[] = []
  for (const name of required) if (!record.has(name)) mistakes.push({ line, field: name, message: 'is missing' })
  const text = (name: string): string => {
    const value = record.get(name) ?? ''
    if (typeof value === 'string') return value
    mistakes.push({ line, field: name, message: `must be text, received ${typeof value}` })
    return ''
  }
  const whole = (name: string): number | undefined => {
    const value = record.get(name)
    if (value === undefined || typeof value === 'number') return value
    mistakes.push({ line, field: name, message: 'must be a whole number' })
    return undefined
  }
  const facts: ProductFacts = {
    sku: text('sku'),
    title: text('title'),
    description: text('description'),
    category: text('category'),
    priceMinor: whole('price_minor') ?? 0,
    currency: text('currency'),
    attributes: textsOf(attributes, (field) => mistakes.push({ line, field, message: 'must be text' })),
  }
  const stock = whole('stock')
  return mistakes.length > 0 ? { line, mistakes } : { line, facts, stock }
}

function textsOf(
  attributes: ReadonlyMap<string, unknown>,
  onWrong: (field: string) => void,
): Readonly<Record<string, string>> {
  const texts: Record<string, string> = Object.create(null)
  for (const [name, value] of attributes) {
    if (typeof value === 'string') texts[name] = value
    else onWrong(`attributes.${name}`)
  }
  return texts
}

function wrong(line: number, field: string, message: string): ImportLine {
  return { line, mistakes: [{ line, field: field.slice(0, 100), message }] }
}

function unreadable(line: number, message: string): ImportLine {
  return wrong(line, '', message)
}
