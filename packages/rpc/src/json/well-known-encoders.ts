import type { DescMessage, JsonValue, Message, Registry } from '@bufbuild/protobuf'
import {
  type Any,
  anyUnpack,
  type Duration,
  type FieldMask,
  hasCustomJsonRepresentation,
  type ListValue,
  type Struct,
  type Timestamp,
  type Value,
} from '@bufbuild/protobuf/wkt'
import { quote } from './json-strings.ts'
import { camelPath, durationSecondsMax, snakePath, timestampSecondsMax, timestampSecondsMin } from './well-known.ts'

/** The writer of a type that has a JSON form of its own; undefined for all others. */
export function wellKnownEncoder(
  desc: DescMessage,
  registry: Registry | undefined,
  compile: (desc: DescMessage) => (message: Message) => string,
): ((message: never) => string) | undefined {
  switch (desc.typeName) {
    case 'google.protobuf.Timestamp':
      return encodeTimestamp
    case 'google.protobuf.Duration':
      return encodeDuration
    case 'google.protobuf.FieldMask':
      return encodeFieldMask
    case 'google.protobuf.Struct':
      return encodeStruct
    case 'google.protobuf.Value':
      return encodeValue
    case 'google.protobuf.ListValue':
      return encodeList
    case 'google.protobuf.Any':
      return (any: Any) => encodeAny(any, registry, compile)
    default:
      return undefined
  }
}

/** Writes a plain JSON value, as protobuf-es keeps a Struct that is a field. */
export function encodeJsonValue(value: unknown): string {
  return JSON.stringify(value as JsonValue, (_key, inner: unknown) => {
    if (typeof inner === 'number' && !Number.isFinite(inner)) throw new RangeError(`Cannot write ${inner} in a Struct`)
    return typeof inner === 'string' && !inner.isWellFormed() ? inner.toWellFormed() : inner
  })
}

function encodeTimestamp(value: Timestamp): string {
  const seconds = Number(value.seconds)
  if (seconds < timestampSecondsMin || seconds > timestampSecondsMax || value.nanos < 0 || value.nanos > 999_999_999) {
    throw new RangeError(`Cannot write a Timestamp of ${value.seconds} s and ${value.nanos} ns: it is out of range`)
  }
  // toISOString ends in .000Z, since only whole seconds went in.
  return `"${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction(value.nanos)}Z"`
}

function encodeDuration(value: Duration): string {
  const seconds = Number(value.seconds)
  const { nanos } = value
  const mixed = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)
  if (Math.abs(seconds) > durationSecondsMax || Math.abs(nanos) > 999_999_999 || mixed) {
    throw new RangeError(`Cannot write a Duration of ${value.seconds} s and ${nanos} ns: it is out of range`)
  }
  const sign = seconds < 0 || nanos < 0 ? '-' : ''
  return `"${sign}${Math.abs(seconds)}${fraction(Math.abs(nanos))}s"`
}

/** None, 3, 6 or 9 digits, as the mapping wants them. */
function fraction(nanos: number): string {
  if (nanos === 0) return ''
  const digits = String(nanos).padStart(9, '0')
  if (digits.endsWith('000000')) return `.${digits.slice(0, 3)}`
  return digits.endsWith('000') ? `.${digits.slice(0, 6)}` : `.${digits}`
}

function encodeFieldMask(value: FieldMask): string {
  return quote(value.paths.map(camelOrThrow).join(','))
}

function camelOrThrow(path: string): string {
  const camel = camelPath(path)
  if (snakePath(camel) !== path) throw new RangeError(`Cannot write the field mask path ${path}: it is not snake_case`)
  return camel
}

function encodeStruct(value: Struct): string {
  let text = ''
  for (const key of Object.keys(value.fields)) {
    text += `${text === '' ? '{' : ','}${quote(key)}:${encodeValue(value.fields[key] as Value)}`
  }
  return text === '' ? '{}' : `${text}}`
}

function encodeList(value: ListValue): string {
  return `[${value.values.map(encodeValue).join(',')}]`
}

function encodeValue(value: Value): string {
  const { kind } = value
  switch (kind.case) {
    case 'nullValue':
      return 'null'
    case 'boolValue':
      return String(kind.value)
    case 'stringValue':
      return quote(kind.value)
    case 'structValue':
      return encodeStruct(kind.value)
    case 'listValue':
      return encodeList(kind.value)
    case 'numberValue':
      if (Number.isFinite(kind.value)) return String(kind.value)
      throw new RangeError(`Cannot write ${kind.value} in a Value`)
    case undefined:
      throw new RangeError('Cannot write a Value that holds nothing')
    default:
      return kind satisfies never
  }
}

function encodeAny(
  any: Any,
  registry: Registry | undefined,
  compile: (desc: DescMessage) => (message: Message) => string,
): string {
  if (any.typeUrl === '') return '{}'
  const message = registry && anyUnpack(any, registry)
  const desc = message && registry.getMessage(message.$typeName)
  if (!message || !desc) throw new RangeError(`Cannot write an Any of ${any.typeUrl}: the type is not registered`)
  const type = `"@type":${quote(any.typeUrl)}`
  const inner = compile(desc)(message)
  if (hasCustomJsonRepresentation(desc)) return `{${type},"value":${inner}}`
  return inner === '{}' ? `{${type}}` : `{${type},${inner.slice(1)}`
}
