import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type Message,
  type Registry,
  ScalarType,
} from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'
import { quote } from './json-strings.ts'
import { encodeJsonValue, wellKnownEncoder } from './well-known-encoders.ts'

/** Writes one message as proto3 JSON. */
export type JsonEncoder = (message: Message) => string

/** What an encoder writes, and the types it may meet. */
export interface JsonEncoderOptions {
  /**
   * Writes fields without presence even when they hold their default, so that a reader sees every field there is.
   * @default true
   */
  readonly emitDefaults?: boolean
  /** Where `google.protobuf.Any` finds its types. @default none: only an empty Any can be written */
  readonly registry?: Registry
}

/** Writes a value of one kind; the message types inside it are compiled. */
export type WriteValue = (value: never) => string
type WriteAny = (value: unknown) => string
type Fields = Readonly<Record<string, unknown>>
/** `"name":value`, or an empty string when the field is not written. */
type WriteField = (message: Fields) => string

const implicit = 2

/**
 * Compiles the writer of a message type from its descriptor: the proto3 JSON mapping, field by field in the order of
 * their numbers, straight into a string. Equal to protobuf-es `toJsonString` except that lone surrogates become
 * U+FFFD.
 *
 * The writer throws RangeError or TypeError when a value cannot be written (a Timestamp before year 1, an Any of an
 * unknown type): the handler made a message that JSON has no form for.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { create } from '@bufbuild/protobuf'
 * import { compileJsonEncoder } from '@plinth/rpc'
 * import { MoneySchema } from '@plinth/rpc/contract'
 *
 * const encode = compileJsonEncoder(MoneySchema)
 * assert.equal(encode(create(MoneySchema, { amountMinor: 5n })), '{"amountMinor":"5","currency":""}')
 * ```
 */
export function compileJsonEncoder(desc: DescMessage, options: JsonEncoderOptions = {}): JsonEncoder {
  return new EncoderCompiler(options).message(desc) as JsonEncoder
}

/**
 * Compiles the writer of one field's value alone, as `response_body` asks for: the whole list of a repeated field,
 * `null` for a message that is not there.
 */
export function compileJsonFieldEncoder(field: DescField, options: JsonEncoderOptions = {}): JsonEncoder {
  const compiler = new EncoderCompiler(options)
  const write = compiler.value(field)
  const { localName } = field
  return (message) => {
    const value = (message as unknown as Fields)[localName]
    return value === undefined ? 'null' : write(value)
  }
}

class EncoderCompiler {
  readonly #emitDefaults: boolean
  readonly #registry: Registry | undefined
  readonly #messages = new Map<DescMessage, WriteAny>()

  constructor(options: JsonEncoderOptions) {
    this.#emitDefaults = options.emitDefaults ?? true
    this.#registry = options.registry
  }

  message(desc: DescMessage): WriteAny {
    const known = this.#messages.get(desc)
    if (known) return known
    const special =
      wellKnownEncoder(desc, this.#registry, (inner) => this.message(inner) as (message: Message) => string) ??
      this.#wrapper(desc)
    if (special) {
      this.#messages.set(desc, special as WriteAny)
      return special as WriteAny
    }
    const fields: WriteField[] = []
    const write = (value: unknown): string => {
      let text = ''
      for (let at = 0; at < fields.length; at++) {
        const part = (fields[at] as WriteField)(value as Fields)
        if (part !== '') text += text === '' ? `{${part}` : `,${part}`
      }
      return text === '' ? '{}' : `${text}}`
    }
    // Set before its fields are compiled: a message may contain itself.
    this.#messages.set(desc, write)
    for (const field of desc.fields.toSorted((a, b) => a.number - b.number)) fields.push(this.#field(field))
    return write
  }

  /** The value of a field of any kind. */
  value(field: DescField): WriteAny {
    switch (field.fieldKind) {
      case 'list': {
        const item = this.#single(field)
        return (value) => {
          const items = value as readonly unknown[]
          if (items.length === 0) return '[]'
          let text = `[${item(items[0])}`
          for (let at = 1; at < items.length; at++) text += `,${item(items[at])}`
          return `${text}]`
        }
      }
      case 'map': {
        const item = this.#single(field)
        return (value) => {
          let text = ''
          for (const key of Object.keys(value as object)) {
            text += `${text === '' ? '{' : ','}${quote(key)}:${item((value as Fields)[key])}`
          }
          return text === '' ? '{}' : `${text}}`
        }
      }
      default:
        return this.#single(field)
    }
  }

  #field(field: DescField): WriteField {
    const write = this.value(field)
    const { localName } = field
    const key = `${JSON.stringify(field.jsonName)}:`
    if (field.oneof) {
      const choice = field.oneof.localName
      return (message) => {
        const chosen = message[choice] as { readonly case?: string; readonly value?: unknown }
        return chosen.case === localName ? key + write(chosen.value) : ''
      }
    }
    if (field.fieldKind === 'message' || field.presence !== implicit) {
      // Of messages with explicit defaults (proto2, editions) the prototype shows values that are not set.
      return (message) => {
        const value = message[localName]
        return value !== undefined && Object.hasOwn(message, localName) ? key + write(value) : ''
      }
    }
    if (this.#emitDefaults) return (message) => key + write(message[localName])
    const isDefault = defaultTest(field)
    return (message) => {
      const value = message[localName]
      return isDefault(value) ? '' : key + write(value)
    }
  }

  #single(field: DescField): WriteAny {
    if (field.enum) return enumWriter(field.enum)
    if (!field.message) return scalarWriter(field.scalar as ScalarType) as WriteAny
    // protobuf-es keeps these as plain values: wrappers unwrapped, Struct as a JSON object.
    if (field.fieldKind === 'message' && !field.oneof && isWrapperDesc(field.message)) {
      return scalarWriter((field.message.fields[0] as DescField).scalar as ScalarType) as WriteAny
    }
    if (field.message.typeName === 'google.protobuf.Struct' && field.parent.typeName !== 'google.protobuf.Value') {
      return encodeJsonValue
    }
    return this.message(field.message)
  }

  #wrapper(desc: DescMessage): WriteAny | undefined {
    if (!isWrapperDesc(desc)) return undefined
    const write = scalarWriter((desc.fields[0] as DescField).scalar as ScalarType) as WriteAny
    return (message) => write((message as Fields).value)
  }
}

function defaultTest(field: DescField): (value: unknown) => boolean {
  if (field.fieldKind === 'list') return (value) => (value as readonly unknown[]).length === 0
  if (field.fieldKind === 'map') return (value) => Object.keys(value as object).length === 0
  if (field.enum) return (value) => value === 0
  switch (field.scalar) {
    case ScalarType.STRING:
      return (value) => value === ''
    case ScalarType.BYTES:
      return (value) => (value as Uint8Array).byteLength === 0
    case ScalarType.BOOL:
      return (value) => value === false
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      // Minus zero is not the default.
      return (value) => Object.is(value, 0)
    default:
      return (value) => value === 0 || value === 0n || value === '0'
  }
}

function enumWriter(desc: DescEnum): WriteAny {
  if (desc.typeName === 'google.protobuf.NullValue') return () => 'null'
  const names = new Map(desc.values.map((value) => [value.number, JSON.stringify(value.name)]))
  // A number the contract does not know is kept as a number (proto3 enums are open).
  return (value) => names.get(value as number) ?? String(value)
}

function scalarWriter(type: ScalarType): WriteValue {
  switch (type) {
    case ScalarType.STRING:
      return quote
    case ScalarType.BOOL:
      return (value: boolean) => (value ? 'true' : 'false')
    case ScalarType.BYTES:
      return (value: Uint8Array) => `"${value.toBase64()}"`
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return (value: number) => (Number.isFinite(value) ? String(value) : `"${value}"`)
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return (value: number) => String(value)
    default:
      return (value: bigint | string) => `"${value}"`
  }
}
