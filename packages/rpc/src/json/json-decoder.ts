import { create, type DescField, type DescMessage, type Message, type Registry, ScalarType } from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'
import { DecodeState, type JsonLimits, wrong } from './decode-state.ts'
import { enumReader, type ReadValue, scalarReader } from './json-scalars.ts'
import { readEntries, readItems, readJsonObject, wellKnownReader } from './well-known-decoders.ts'

/** Limits of a decoder, and the types it may meet. */
export interface JsonDecoderOptions extends JsonLimits {
  /** Where `google.protobuf.Any` finds its types. @default none: only an empty Any can be read */
  readonly registry?: Registry
}

/**
 * Reads what `JSON.parse` made into a new message.
 *
 * @throws PlatformError of kind `invalid`, code `rpc.invalid_request`, with every broken field in
 * `details.violations`.
 */
export type JsonDecoder = (json: unknown) => Message

/** Reads one field into a message that exists; what is wrong goes on record in `state`. */
export type ReadField = (message: Message, json: unknown, state: DecodeState) => void

const implicit = 2
type Fields = Record<string, unknown>

/**
 * Compiles the reader of a message type from its descriptor: the proto3 JSON mapping, strictly. Fields go by their
 * JSON or their proto name, `null` means the default; refused are unknown fields, wrong types, numbers out of range
 * or past what JSON can say exactly, a field or oneof given twice, lone surrogates, and anything beyond the limits.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { compileJsonDecoder } from '@plinth/rpc'
 * import { MoneySchema } from '@plinth/rpc/contract'
 *
 * const decode = compileJsonDecoder(MoneySchema)
 * assert.throws(() => decode({ amountMinor: 1.5, colour: 'red' }), { code: 'rpc.invalid_request' })
 * ```
 */
export function compileJsonDecoder(desc: DescMessage, options: JsonDecoderOptions = {}): JsonDecoder {
  const read = new DecoderCompiler(options.registry).message(desc)
  return (json) => {
    const state = new DecodeState(options)
    const message = read(json, state)
    state.throwIfWrong(desc.typeName)
    return message as Message
  }
}

/** Compiles the reader of a message type for callers that keep the books of what is wrong themselves. */
export function compileJsonReader(desc: DescMessage, options: JsonDecoderOptions = {}): ReadValue {
  return new DecoderCompiler(options.registry).message(desc)
}

/** Compiles the reader of one field alone, for bodies that are a field of their request. */
export function compileJsonFieldDecoder(field: DescField, options: JsonDecoderOptions = {}): ReadField {
  return new DecoderCompiler(options.registry).field(field)
}

class DecoderCompiler {
  readonly #registry: Registry | undefined
  readonly #messages = new Map<DescMessage, ReadValue>()

  constructor(registry: Registry | undefined) {
    this.#registry = registry
  }

  message(desc: DescMessage): ReadValue {
    const known = this.#messages.get(desc)
    if (known) return known
    const special = wellKnownReader(desc, this.#registry, (inner) => this.message(inner)) ?? wrapperReader(desc)
    if (special) {
      this.#messages.set(desc, special)
      return special
    }
    const fields = new Map<string, { readonly field: DescField; readonly read: ReadField }>()
    const read: ReadValue = (json, state) => {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) {
        return state.fail('json.type', 'an object', json)
      }
      if (!state.enter()) return wrong
      const message = create(desc)
      const seen = new Set<string>()
      for (const key of Object.keys(json)) {
        if (state.stopped) break
        const known = fields.get(key)
        if (!known) {
          state.failAt(key, 'json.unknown_field', `a field of ${desc.name}`)
          continue
        }
        const value = (json as Fields)[key]
        state.down(known.field.jsonName)
        if (checkOnce(known.field, value, seen, state)) known.read(message, value, state)
        state.up()
      }
      state.leave()
      return message
    }
    // Set before its fields are compiled: a message may contain itself.
    this.#messages.set(desc, read)
    for (const field of desc.fields) {
      const entry = { field, read: this.field(field) }
      fields.set(field.name, entry).set(field.jsonName, entry)
    }
    return read
  }

  field(field: DescField): ReadField {
    const read = this.#value(field)
    const { localName } = field
    if (field.oneof) {
      const choice = field.oneof.localName
      const takesNull = nullIsValue(field)
      return (message, json, state) => {
        if (json === null && !takesNull) return
        const value = read(json, state)
        if (value !== wrong) (message as unknown as Fields)[choice] = { case: localName, value }
      }
    }
    if (nullIsValue(field)) return (message, json, state) => assign(message, localName, read(json, state))
    return (message, json, state) => {
      if (json === null) clear(message, field)
      else assign(message, localName, read(json, state))
    }
  }

  #value(field: DescField): ReadValue {
    const item = this.#single(field)
    switch (field.fieldKind) {
      case 'list':
        return (json, state) =>
          Array.isArray(json) ? readItems(json, state, item) : state.fail('json.type', 'a list', json)
      case 'map': {
        const readKey = mapKeyReader(field.mapKey)
        return (json, state) =>
          typeof json === 'object' && json !== null && !Array.isArray(json)
            ? readEntries(json as Fields, state, { read: item, readKey })
            : state.fail('json.type', 'an object', json)
      }
      default:
        return item
    }
  }

  #single(field: DescField): ReadValue {
    if (field.enum) return enumReader(field.enum)
    if (!field.message) {
      return scalarReader(field.scalar as ScalarType, 'longAsString' in field && field.longAsString === true)
    }
    // protobuf-es keeps these as plain values: wrappers unwrapped, Struct as a JSON object.
    if (field.fieldKind === 'message' && !field.oneof && isWrapperDesc(field.message)) {
      return scalarReader((field.message.fields[0] as DescField).scalar as ScalarType)
    }
    if (field.message.typeName === 'google.protobuf.Struct' && field.parent.typeName !== 'google.protobuf.Value') {
      return readJsonObject
    }
    return this.message(field.message)
  }
}

function assign(message: Message, localName: string, value: unknown): void {
  if (value !== wrong) (message as unknown as Fields)[localName] = value
}

function clear(message: Message, field: DescField): void {
  // A new message has every default already; only what a merge target held has to go.
  if (field.fieldKind === 'message' || (field.presence !== implicit && field.fieldKind !== 'list')) {
    delete (message as unknown as Fields)[field.localName]
  }
}

/** JSON null is a value of these two types, and "not there" of all others. */
function nullIsValue(field: DescField): boolean {
  if (field.fieldKind === 'message') return field.message.typeName === 'google.protobuf.Value'
  return field.fieldKind === 'enum' && field.enum.typeName === 'google.protobuf.NullValue'
}

function checkOnce(field: DescField, value: unknown, seen: Set<string>, state: DecodeState): boolean {
  if (seen.has(field.name)) {
    state.fail('json.duplicate', 'the field once')
    return false
  }
  seen.add(field.name)
  if (!field.oneof || (value === null && !nullIsValue(field))) return true
  // No field of a message is named with a dot.
  const choice = `oneof.${field.oneof.name}`
  if (seen.has(choice)) {
    state.fail('json.oneof', `one field of ${field.oneof.name}`)
    return false
  }
  seen.add(choice)
  return true
}

function wrapperReader(desc: DescMessage): ReadValue | undefined {
  if (!isWrapperDesc(desc)) return undefined
  const read = scalarReader((desc.fields[0] as DescField).scalar as ScalarType)
  return (json, state) => {
    const value = read(json, state)
    if (value === wrong) return wrong
    const message = create(desc) as unknown as Fields
    message.value = value
    return message
  }
}

function mapKeyReader(type: ScalarType): (key: string, state: DecodeState) => string | typeof wrong {
  const read = scalarReader(type)
  if (type === ScalarType.STRING) return (key, state) => read(key, state) as string | typeof wrong
  if (type === ScalarType.BOOL) {
    return (key, state) => (key === 'true' || key === 'false' ? key : state.fail('json.type', 'true or false as key'))
  }
  return (key, state) => {
    const value = read(key, state)
    return value === wrong ? wrong : String(value)
  }
}
