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
  const day = Math.floor(seconds / 86_400)
  const second = seconds - day * 86_400
  const minute = Math.floor(second / 60)
  const time = `${digits(Math.floor(minute / 60))}:${digits(minute % 60)}:${digits(second % 60)}`
  return `"${dateOf(day)}T${time}${fraction(value.nanos)}Z"`
}

const twoDigits = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'))

function digits(value: number): string {
  return twoDigits[value] as string
}

/**
 * The date so many days after 1970-01-01, in the proleptic Gregorian calendar (civil_from_days by Howard Hinnant,
 * https://howardhinnant.github.io/date_algorithms.html): three times as fast as going through a Date.
 */
function dateOf(day: number): string {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const date = digits(dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1)
  return `${digits(Math.floor(year / 100))}${digits(year % 100)}-${digits(month)}-${date}`
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
  const nine = String(nanos).padStart(9, '0')
  if (nine.endsWith('000000')) return `.${nine.slice(0, 3)}`
  return nine.endsWith('000') ? `.${nine.slice(0, 6)}` : `.${nine}`
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
