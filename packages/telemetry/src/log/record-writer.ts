import { Secret } from '@plinth/base'
import { quote } from './json-text.ts'
import { redacted } from './redaction.ts'

/** Bounds of one record. Past each of them a marker says what is missing. */
export interface RecordLimits {
  /** UTF-16 units of one string. @default 8192 */
  readonly stringCharsMax?: number
  /** UTF-16 units of all values of a record together; what comes after is marked. @default 65536 */
  readonly recordCharsMax?: number
  /** Members of one object, and items of one array. @default 64 */
  readonly membersMax?: number
  /** Objects within objects. @default 6 */
  readonly depthMax?: number
  /** Errors along one chain of causes. @default 8 */
  readonly causesMax?: number
}

/** Writes values as JSON within bounds, leaving out what may not be seen. One per logger tree: it reuses its state. */
export interface RecordWriter {
  /** `,"name":` and the value for every field that has one; resets the record's budget. */
  fields(fields: object): string
}

interface Name {
  readonly text: string
  /** The same for the outermost object, where the logger's own names are taken. */
  readonly outerText: string
  readonly denied: boolean
}

export interface RecordWriterDeps {
  readonly isDenied: (name: string) => boolean
  /** Names that the record itself has: a field of such a name gets an underscore behind it. */
  readonly ownNames: ReadonlySet<string>
}

const namesKeptMax = 2048
const nameCharsMax = 128
const stackCharsMax = 8192

/** Makes a writer. */
export function createRecordWriter(limits: RecordLimits, { isDenied, ownNames }: RecordWriterDeps): RecordWriter {
  const stringCharsMax = limits.stringCharsMax ?? 8192
  const recordCharsMax = limits.recordCharsMax ?? 65_536
  const membersMax = limits.membersMax ?? 64
  const depthMax = limits.depthMax ?? 6
  const causesMax = limits.causesMax ?? 8
  // Names repeat from line to line, so each is quoted and judged once; the bound keeps hostile names from piling up.
  const names = new Map<string, Name>()
  const path: object[] = []
  let budget = recordCharsMax

  function nameOf(name: string): Name {
    const known = names.get(name)
    if (known) return known
    const text = `,${quote(cut(name, nameCharsMax))}:`
    const made = { text, outerText: ownNames.has(name) ? `,"${name}_":` : text, denied: isDenied(name) }
    if (names.size < namesKeptMax && name.length <= nameCharsMax) names.set(name, made)
    return made
  }

  function member(name: string, value: unknown): string {
    if (value === undefined) return ''
    const { text, outerText, denied } = nameOf(name)
    return (path.length === 0 ? outerText : text) + (denied && value !== null ? `"${redacted}"` : write(value))
  }

  function write(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return string(value)
      case 'number':
        return Number.isFinite(value) ? String(value) : `"${value}"`
      case 'boolean':
        return value ? 'true' : 'false'
      case 'object':
        return value === null ? 'null' : guarded(value)
      case 'bigint':
        // As proto3 JSON has it: readers that know only doubles would change a number past 2^53.
        return string(String(value))
      case 'symbol':
        return string(String(value))
      case 'function':
        return '"[function]"'
      default:
        return 'null'
    }
  }

  function string(value: string): string {
    if (budget <= 0) return '"[cut]"'
    const text =
      value.length > stringCharsMax || value.length > budget ? cut(value, Math.min(stringCharsMax, budget)) : value
    budget -= text.length
    return quote(text)
  }

  function guarded(value: object): string {
    if (path.length >= depthMax + causesMax) return '"[deep]"'
    if (path.includes(value)) return '"[circular]"'
    path.push(value)
    try {
      return object(value)
    } catch {
      // A getter, a proxy or a toJSON of the caller failed; a log line must not.
      return '"[unreadable]"'
    } finally {
      path.pop()
    }
  }

  function object(value: object): string {
    if (budget <= 0) return '"[cut]"'
    // What an object costs besides its strings, so that a million empty ones are bounded too.
    budget -= 8
    if (Object.getPrototypeOf(value) === Object.prototype && !('toJSON' in value) && !('$typeName' in value)) {
      return path.length > depthMax ? '"[deep]"' : braces(members(value))
    }
    if (Array.isArray(value)) {
      return path.length > depthMax ? `"[array of ${value.length}]"` : items(value, value.length)
    }
    return instance(value)
  }

  function instance(value: object): string {
    if (value instanceof Secret) return '"[secret]"'
    if (Error.isError(value)) return error(value)
    if (path.length > depthMax) return '"[deep]"'
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      return `"[${value.byteLength} bytes]"`
    }
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? '"[invalid date]"' : `"${value.toISOString()}"`
    if (value instanceof URL) return string(withoutSecrets(value, isDenied))
    if (value instanceof Set) return items(value, value.size)
    if (value instanceof Map || isHeaders(value)) return entries(value)
    // A message may hold fields marked debug_redact, which only its descriptor knows: its name is all that is written.
    if ('$typeName' in value) return string(`[message ${String(value.$typeName)}]`)
    if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON())
    return braces(members(value))
  }

  function members(value: object, isOmitted?: (name: string) => boolean): string {
    let text = ''
    let count = 0
    const keys = Object.keys(value)
    for (const name of keys) {
      if (isOmitted?.(name)) continue
      if (++count > membersMax || budget <= 0) return `${text},"[more]":${keys.length - count + 1}`
      text += safeMember(name, value)
    }
    return text
  }

  function safeMember(name: string, holder: object): string {
    let value: unknown
    try {
      value = (holder as Record<string, unknown>)[name]
    } catch {
      return `${nameOf(name).text}"[unreadable]"`
    }
    return member(name, value)
  }

  function entries(value: Iterable<[unknown, unknown]>): string {
    let text = ''
    let count = 0
    for (const [name, held] of value) {
      if (++count > membersMax || budget <= 0) return braces(`${text},"[more]":true`)
      text += member(typeof name === 'object' ? '[object]' : String(name), held)
    }
    return braces(text)
  }

  function items(value: Iterable<unknown>, size: number): string {
    let text = ''
    let count = 0
    let denied = false
    for (const item of value) {
      if (++count > membersMax || budget <= 0) return `[${text.slice(1)},"[${size - count + 1} more]"]`
      text += `,${denied ? `"${redacted}"` : write(item)}`
      // Headers come as pairs or as one flat list too: what follows a denied name is its value.
      denied = typeof item === 'string' && item.length <= nameCharsMax && nameOf(item).denied
    }
    return `[${text.slice(1)}]`
  }

  function error(value: Error): string {
    const errors = path.filter((held) => Error.isError(held)).length
    if (errors > causesMax) return '"[more causes]"'
    let text = member('type', String(value.name)) + member('message', String(value.message))
    text += members(value, (name) => name === 'stack' || name === 'message' || name === 'name' || name === 'cause')
    if (typeof value.stack === 'string') text += member('stack', cut(value.stack, stackCharsMax))
    if (value.cause !== undefined) text += member('cause', value.cause)
    if (value instanceof AggregateError && !Object.keys(value).includes('errors'))
      text += member('errors', value.errors)
    if (value instanceof SuppressedError) text += member('error', value.error) + member('suppressed', value.suppressed)
    return braces(text)
  }

  return {
    fields(fields) {
      budget = recordCharsMax
      path.length = 0
      return members(fields)
    },
  }
}

function braces(memberText: string): string {
  return `{${memberText.slice(1)}}`
}

/** Shortens `text` to `charsMax` units and says how many are missing; never splits a surrogate pair. */
function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  const last = text.charCodeAt(charsMax - 1)
  const end = last >= 0xd800 && last <= 0xdbff ? charsMax - 1 : charsMax
  return `${text.slice(0, end)}[+${text.length - end} chars]`
}

function isHeaders(value: object): value is Headers | URLSearchParams {
  return value instanceof Headers || value instanceof URLSearchParams
}

function withoutSecrets(url: URL, isDenied: (name: string) => boolean): string {
  const safe = new URL(url)
  if (safe.username !== '') safe.username = redacted
  if (safe.password !== '') safe.password = redacted
  for (const name of new Set(safe.searchParams.keys())) if (isDenied(name)) safe.searchParams.set(name, redacted)
  return safe.href
}
