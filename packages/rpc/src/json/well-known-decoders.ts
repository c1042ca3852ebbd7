import { create, type DescMessage, type Message, type Registry } from '@bufbuild/protobuf'
import {
  AnySchema,
  anyPack,
  DurationSchema,
  FieldMaskSchema,
  hasCustomJsonRepresentation,
  ListValueSchema,
  StructSchema,
  TimestampSchema,
  type Value,
  ValueSchema,
} from '@bufbuild/protobuf/wkt'
import { type DecodeState, wrong } from './decode-state.ts'
import type { ReadValue } from './json-scalars.ts'
import { durationSecondsMax, snakePath, timestampSecondsMax, timestampSecondsMin } from './well-known.ts'

/** The reader of a type that has a JSON form of its own; undefined for all others. */
export function wellKnownReader(
  desc: DescMessage,
  registry: Registry | undefined,
  compile: (desc: DescMessage) => ReadValue,
): ReadValue | undefined {
  switch (desc.typeName) {
    case 'google.protobuf.Timestamp':
      return readTimestamp
    case 'google.protobuf.Duration':
      return readDuration
    case 'google.protobuf.FieldMask':
      return readFieldMask
    case 'google.protobuf.Struct':
      return readStruct
    case 'google.protobuf.Value':
      return readValue
    case 'google.protobuf.ListValue':
      return readList
    case 'google.protobuf.Any':
      return (json, state) => readAny(json, state, { registry, compile })
    default:
      return undefined
  }
}

/** Copies a JSON object as it is, for a Struct that protobuf-es keeps as plain JSON. */
export function readJsonObject(json: unknown, state: DecodeState): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return state.fail('json.type', 'an object', json)
  return copyJson(json, state)
}

function copyJson(json: unknown, state: DecodeState): unknown {
  if (typeof json === 'string') return json.isWellFormed() ? json : state.fail('json.utf8', 'well-formed Unicode', json)
  if (typeof json === 'number') return Number.isFinite(json) ? json : state.fail('json.range', 'a finite number')
  if (typeof json !== 'object' || json === null) return json
  return Array.isArray(json)
    ? readItems(json, state, copyJson)
    : readEntries(json as Record<string, unknown>, state, { read: copyJson })
}

/** Reads a list of any depth, within the limits. */
export function readItems(json: readonly unknown[], state: DecodeState, read: ReadValue): unknown {
  if (!state.take(json.length) || !state.enter()) return wrong
  const items: unknown[] = new Array(json.length)
  let good = true
  for (let at = 0; at < json.length && !state.stopped; at++) {
    state.down(at)
    const item = read(json[at], state)
    if (item === wrong) good = false
    else items[at] = item
    state.up()
  }
  state.leave()
  return good && !state.stopped ? items : wrong
}

/** How the entries of an object are read. */
export interface EntryReaders {
  readonly read: ReadValue
  /** @default any well-formed text, as it is */
  readonly readKey?: (key: string, state: DecodeState) => string | typeof wrong
}

/** Reads the entries of an object, within the limits. A key `__proto__` becomes a key like any other. */
export function readEntries(
  json: Readonly<Record<string, unknown>>,
  state: DecodeState,
  { read, readKey = wellFormedKey }: EntryReaders,
): Record<string, unknown> | typeof wrong {
  const keys = Object.keys(json)
  if (!state.take(keys.length) || !state.enter()) return wrong
  const entries: Record<string, unknown> = {}
  let good = true
  for (const key of keys) {
    if (state.stopped) break
    state.down(`[${JSON.stringify(key)}]`)
    const name = readKey(key, state)
    const value = read(json[key], state)
    if (name === wrong || value === wrong) good = false
    else if (Object.hasOwn(entries, name)) good = state.fail('json.duplicate', 'each key once') !== wrong
    else setOwn(entries, name, value)
    state.up()
  }
  state.leave()
  return good && !state.stopped ? entries : wrong
}

/** An assignment to `__proto__` would change the prototype instead of adding a key. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    target[key] = value
  }
}

function wellFormedKey(key: string, state: DecodeState): string | typeof wrong {
  return key.isWellFormed() ? key : state.fail('json.utf8', 'well-formed Unicode')
}

const timestampForm = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

function readTimestamp(json: unknown, state: DecodeState): unknown {
  const parts = typeof json === 'string' ? timestampForm.exec(json) : null
  if (!parts) return state.fail('json.format', 'a time as RFC 3339 has it', json)
  const [, date = '', time = '', fraction = '', zone = ''] = parts
  const seconds = Date.parse(`${date}T${time}${zone}`) / 1000
  // Date.parse lets some dates roll over (30 February); a round trip shows it.
  const local = Number.isNaN(seconds) ? '' : new Date(Date.parse(`${date}T${time}Z`)).toISOString()
  if (!local.startsWith(`${date}T${time}`)) return state.fail('json.format', 'a time that exists', json)
  if (seconds < timestampSecondsMin || seconds > timestampSecondsMax) {
    return state.fail('json.range', 'a time from the year 1 to 9999', json)
  }
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos: nanosOf(fraction) })
}

const durationForm = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/

function readDuration(json: unknown, state: DecodeState): unknown {
  const parts = typeof json === 'string' ? durationForm.exec(json) : null
  if (!parts) return state.fail('json.format', 'a duration like "1.5s"', json)
  const [, sign, whole = '', fraction = ''] = parts
  const seconds = Number(whole)
  if (seconds > durationSecondsMax) return state.fail('json.range', 'a duration of at most 10,000 years', json)
  const factor = sign === '-' ? -1 : 1
  return create(DurationSchema, { seconds: BigInt(factor * seconds), nanos: factor * nanosOf(fraction) + 0 })
}

function nanosOf(fraction: string): number {
  return Number(fraction.padEnd(9, '0'))
}

function readFieldMask(json: unknown, state: DecodeState): unknown {
  if (typeof json !== 'string') return state.fail('json.type', 'field names with commas between', json)
  if (json === '') return create(FieldMaskSchema)
  const paths = json.split(',')
  if (!state.take(paths.length)) return wrong
  if (!paths.every((path) => /^[A-Za-z][A-Za-z0-9.]*$/.test(path))) {
    return state.fail('json.format', 'field names in lowerCamelCase', json)
  }
  return create(FieldMaskSchema, { paths: paths.map(snakePath) })
}

function readStruct(json: unknown, state: DecodeState): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return state.fail('json.type', 'an object', json)
  const fields = readEntries(json as Record<string, unknown>, state, { read: readValue })
  if (fields === wrong) return wrong
  const struct = create(StructSchema)
  struct.fields = fields as Record<string, Value>
  return struct
}

function readList(json: unknown, state: DecodeState): unknown {
  if (!Array.isArray(json)) return state.fail('json.type', 'a list', json)
  const values = readItems(json, state, readValue)
  return values === wrong ? wrong : create(ListValueSchema, { values: values as Value[] })
}

function readValue(json: unknown, state: DecodeState): unknown {
  const value = create(ValueSchema)
  switch (typeof json) {
    case 'boolean':
      value.kind = { case: 'boolValue', value: json }
      return value
    case 'number':
      if (!Number.isFinite(json)) return state.fail('json.range', 'a finite number')
      value.kind = { case: 'numberValue', value: json }
      return value
    case 'string':
      if (!json.isWellFormed()) return state.fail('json.utf8', 'well-formed Unicode', json)
      value.kind = { case: 'stringValue', value: json }
      return value
    default:
      return readCompound(json, state, value)
  }
}

function readCompound(json: unknown, state: DecodeState, value: Value): unknown {
  if (json === null) {
    value.kind = { case: 'nullValue', value: 0 }
    return value
  }
  if (Array.isArray(json)) {
    const list = readList(json, state)
    if (list === wrong) return wrong
    value.kind = { case: 'listValue', value: list as never }
    return value
  }
  const struct = readStruct(json, state)
  if (struct === wrong) return wrong
  value.kind = { case: 'structValue', value: struct as never }
  return value
}

function readAny(
  json: unknown,
  state: DecodeState,
  types: { readonly registry: Registry | undefined; readonly compile: (desc: DescMessage) => ReadValue },
): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return state.fail('json.type', 'an object', json)
  const { '@type': typeUrl, ...rest } = json as Record<string, unknown>
  if (Object.keys(json).length === 0) return create(AnySchema)
  if (typeof typeUrl !== 'string') return state.failAt('@type', 'json.type', 'the URL of a type', typeUrl ?? null)
  const desc = types.registry?.getMessage(typeUrl.slice(typeUrl.lastIndexOf('/') + 1))
  if (!desc) return state.failAt('@type', 'json.any', 'a known type', typeUrl)
  // An Any inside an Any has no other bound than this one.
  if (!state.enter()) return wrong
  const message = readPacked(rest, state, { desc, compile: types.compile })
  state.leave()
  return message === wrong ? wrong : create(AnySchema, { ...anyPack(desc, message as Message), typeUrl })
}

function readPacked(
  rest: Readonly<Record<string, unknown>>,
  state: DecodeState,
  { desc, compile }: { readonly desc: DescMessage; readonly compile: (desc: DescMessage) => ReadValue },
): unknown {
  const read = compile(desc)
  if (!hasCustomJsonRepresentation(desc)) return read(rest, state)
  const keys = Object.keys(rest)
  if (keys.length !== 1 || keys[0] !== 'value')
    return state.fail('json.any', 'the type and its value, and nothing else')
  state.down('value')
  const message = read(rest.value, state)
  state.up()
  return message
}
