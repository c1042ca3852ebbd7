import type { DescField, DescMessage, Message } from '@bufbuild/protobuf'
import { type DecodeState, wrong } from '../json/decode-state.ts'
import { fieldPath, getField, holderOf, setField } from './field-path.ts'
import { textReader } from './text-reader.ts'

/** Reads the part of a URL behind `?` into fields of a message; what is wrong goes on record in `state`. */
export type ReadQuery = (query: string, message: Message, state: DecodeState) => void

const parametersMax = 500

/**
 * Compiles the query mapping of google.api.http: `a.b=1` for nested fields, repeated parameters for lists, names or
 * numbers of enums. Refused are unknown parameters, those that the path or the body already gives, a single field
 * given twice, and types that have no form in a query.
 */
export function compileQueryReader(desc: DescMessage, taken: (path: readonly DescField[]) => boolean): ReadQuery {
  const readers = new Map<string, { path: readonly DescField[]; read: ReturnType<typeof textReader> }>()

  function find(name: string) {
    const known = readers.get(name)
    if (known) return known
    const path = fieldPath(desc, name)
    if (!path || taken(path)) return undefined
    const entry = { path, read: textReader(path.at(-1) as DescField) }
    // A recursive message has endless names; only so many are worth keeping.
    if (readers.size < parametersMax) readers.set(name, entry)
    return entry
  }

  return (query, message, state) => {
    const parameters = query.split('&')
    if (parameters.length > parametersMax) {
      state.fail('query.parameters', `at most ${parametersMax} parameters`)
      return
    }
    const seen = new Set<string>()
    for (const parameter of parameters) {
      if (parameter === '') continue
      const equals = parameter.indexOf('=')
      const name = decode(equals < 0 ? parameter : parameter.slice(0, equals))
      const value = decode(equals < 0 ? '' : parameter.slice(equals + 1))
      const entry = name === undefined ? undefined : find(name)
      state.down(name === undefined ? '' : entry ? jsonPath(entry.path) : name)
      if (name === undefined || value === undefined) state.fail('query.escape', 'percent escapes of UTF-8')
      else if (!entry) state.fail('query.unknown_parameter', `a parameter of ${desc.name}`)
      else if (!entry.read) state.fail('query.type', 'a field that a query can hold')
      else assign(message, entry.path, { value: entry.read(value, state), seen, state })
      state.up()
    }
  }
}

function jsonPath(path: readonly DescField[]): string {
  return path.map((field) => field.jsonName).join('.')
}

/** As HTML forms encode it, plus for space included. */
function decode(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return undefined
  }
}

function assign(
  message: Message,
  path: readonly DescField[],
  { value, seen, state }: { readonly value: unknown; readonly seen: Set<string>; readonly state: DecodeState },
): void {
  if (value === wrong) return
  const field = path.at(-1) as DescField
  if (field.fieldKind === 'list') {
    if (state.take(1)) (getField(holderOf(message, path), field) as unknown[]).push(value)
    return
  }
  const name = jsonPath(path)
  const clash = oneofClash(message, path)
  if (seen.has(name)) state.fail('query.duplicate', 'the parameter once')
  else if (clash) state.fail('json.oneof', `one field of ${clash}`)
  else setField(holderOf(message, path), field, value)
  seen.add(name)
}

/** The name of a oneof along the path that another field has taken. */
function oneofClash(message: Message, path: readonly DescField[]): string | undefined {
  let holder: Message | undefined = message
  for (const field of path) {
    if (!holder) return undefined
    if (field.oneof) {
      const choice = (holder as unknown as Record<string, { case?: string }>)[field.oneof.localName]
      if (choice?.case !== undefined && choice.case !== field.localName) return field.oneof.name
    }
    holder = getField(holder, field) as Message | undefined
  }
  return undefined
}
