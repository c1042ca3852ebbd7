/**
 * Broken requests, made from what the contract says of every field.
 * @module
 */
import { type DescField, type DescMessage, type DescMethod, ScalarType } from '@bufbuild/protobuf'
import { boundsOf } from '@plinth/rpc/testing'
import { type Json, type JsonObject, validRequest } from './contracts.ts'

export interface Mutation {
  /** JSON path of the field at fault, as violations name it. */
  readonly field: string
  readonly what: string
  readonly request: JsonObject
  /** `type` breaks what JSON a field takes, `rule` what the contract says of its values. */
  readonly breaks: 'type' | 'rule'
}

/** A field with its place in the request. */
export interface Place {
  readonly path: string
  readonly field: DescField
  /** A copy of the valid request with this value in the field's place. */
  put(value: Json): JsonObject
}

const rawMessages = new Set(['google.api.HttpBody'])

/** Every field that a valid request of the method holds, at any depth, list items included. */
export function placesOf(method: DescMethod): readonly Place[] {
  const base = validRequest(method)
  const places: Place[] = []
  const visit = (desc: DescMessage, keys: readonly (string | number)[]): void => {
    for (const field of desc.fields) {
      const at = [...keys, field.jsonName]
      places.push({ path: pathOf(at), field, put: (value) => withValue(base, at, value) })
      const inner = field.fieldKind === 'list' ? [...at, 0] : at
      const isPlain = field.message && !field.message.typeName.startsWith('google.')
      if (isPlain && field.fieldKind !== 'map' && valueAt(base, inner) !== undefined) visit(field.message, inner)
    }
  }
  visit(method.input, [])
  return places
}

/** Every way in which a single field of a request can be wrong, one request each. */
export function mutationsOf(method: DescMethod): readonly Mutation[] {
  return placesOf(method).flatMap(({ path, field, put }) => {
    if (field.message && rawMessages.has(field.message.typeName)) return []
    return [...wrongTypes(field), ...wrongValues(field)].map(({ value, at = '', ...more }) => ({
      field: `${path}${at}`,
      request: put(value),
      ...more,
    }))
  })
}

interface Wrong {
  readonly what: string
  readonly value: Json
  readonly breaks: 'type' | 'rule'
  /** Behind the field's path, where the fault lies within it. */
  readonly at?: string
}

const wholeTypes = new Map<ScalarType, 32 | 64>([
  [ScalarType.INT32, 32],
  [ScalarType.UINT32, 32],
  [ScalarType.INT64, 64],
  [ScalarType.UINT64, 64],
])

function wrongTypes(field: DescField): readonly Wrong[] {
  const type = (what: string, value: Json, at = ''): Wrong => ({ what, value, at, breaks: 'type' })
  if (field.fieldKind === 'list') {
    const items = field.message
      ? [type('null in a list', [null], '[0]'), type('a list of lists', [[]], '[0]')]
      : [type('null in a list', [null], '[0]'), type('an object in a list', [{}], '[0]')]
    return [type('a number for a list', 7), type('an object for a list', {}), ...items]
  }
  if (field.fieldKind === 'map') return [type('a list for a map', []), type('text for a map', 'x')]
  if (field.enum) {
    return [
      type('an unknown name', 'NO_SUCH_NAME'),
      type('a broken number', 1.5),
      type('an object', {}),
      type('a number beyond int32', 2 ** 31),
    ]
  }
  if (field.message)
    return [type('a number for a message', 7), type('a list for a message', []), ...unknownFields(field)]
  const containers = [type('an object', {}), type('a list', [])]
  if (field.scalar === ScalarType.STRING) {
    return [...containers, type('a number', 7), type('a boolean', true), type('half of a surrogate pair', 'a\ud800b')]
  }
  if (field.scalar === ScalarType.BOOL) return [...containers, type('text', 'perhaps'), type('a number', 7)]
  if (field.scalar === ScalarType.BYTES) return [...containers, type('no base64', '!!'), type('a number', 7)]
  const bits = wholeTypes.get(field.scalar as ScalarType)
  if (!bits) return containers
  const edges =
    bits === 32
      ? [type('int32 and one', 2 ** 31), type('int32 less one', -(2 ** 31) - 1)]
      : [type('int64 and one', '9223372036854775808'), type('int64 less one', '-9223372036854775809')]
  return [
    ...containers,
    ...edges,
    type('text', 'many'),
    type('a fraction', 1.5),
    type('a huge number', 1e300),
    type('a boolean', true),
    type('no number', 'NaN'),
    type('hexadecimal', '0x10'),
    type('SQL', '1; drop table orders'),
  ]
}

function unknownFields(field: DescField): readonly Wrong[] {
  if (field.message?.typeName.startsWith('google.')) return []
  return ['noSuchField', 'constructor', '__proto__'].map((name) => ({
    what: `the unknown field ${name}`,
    value: JSON.parse(`{"${name}":{"isAdmin":true}}`),
    at: `.${name}`,
    breaks: 'type',
  }))
}

function wrongValues(field: DescField): readonly Wrong[] {
  const { rules } = boundsOf(field)
  const rule = (what: string, value: Json, at = ''): Wrong => ({ what, value, at, breaks: 'rule' })
  const found: Wrong[] = []
  if (field.fieldKind === 'list') {
    const item = listItem(field)
    if (rules.maxItems !== undefined && item !== undefined) {
      found.push(rule('too many items', new Array(Number(rules.maxItems) + 1).fill(item)))
    }
    if (Number(rules.minItems ?? 0) > 0) found.push(rule('no items', []))
    return found
  }
  if (field.fieldKind === 'map') {
    const pairs = Number(rules.maxPairs ?? 0)
    if (pairs > 0) {
      found.push(
        rule('too many pairs', Object.fromEntries(Array.from({ length: pairs + 1 }, (_, at) => [`k${at}`, 'x']))),
      )
    }
    return found
  }
  if (rules.maxLen !== undefined) found.push(rule('too long', 'a'.repeat(Number(rules.maxLen) + 1)))
  if (Number(rules.minLen ?? 0) > 0) found.push(rule('too short', ''))
  if (rules.uuid === true) {
    found.push(rule('no UUID', "' or 1=1 --"), rule('braces', '{01890a5d-ac96-774b-bcce-b302099a8057}'))
  }
  if (rules.email === true) found.push(rule('no address', 'ada@@example.com'), rule('two lines', 'a@b.c\r\nBcc: d@e.f'))
  if (typeof rules.pattern === 'string') {
    const broken = ['\u0000', '<script>', "'; drop table users; --", 'a'.repeat(3_000)]
    const pattern = new RegExp(rules.pattern, 'u')
    found.push(...broken.filter((text) => !pattern.test(text)).map((text) => rule('against the pattern', text)))
  }
  if (Array.isArray(rules.in)) found.push(rule('none of the choices', 'root'))
  if (rules.gte !== undefined) found.push(rule('below the least', integer(field, BigInt(rules.gte as bigint) - 1n)))
  if (rules.lte !== undefined) found.push(rule('above the most', integer(field, BigInt(rules.lte as bigint) + 1n)))
  if (rules.definedOnly === true || (field.enum && rules.definedOnly)) found.push(rule('an undefined number', 9999))
  return found
}

function integer(field: DescField, value: bigint): Json {
  return wholeTypes.get(field.scalar as ScalarType) === 64 ? String(value) : Number(value)
}

function listItem(field: DescField & { fieldKind: 'list' }): Json | undefined {
  if (field.listKind === 'scalar') return field.scalar === ScalarType.STRING ? 'x' : 1
  return field.listKind === 'message' ? {} : undefined
}

function pathOf(keys: readonly (string | number)[]): string {
  return keys.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`),
    '',
  )
}

function valueAt(base: JsonObject, keys: readonly (string | number)[]): Json | undefined {
  let value: Json | undefined = base
  for (const key of keys) value = (value as Record<string | number, Json> | undefined)?.[key]
  return value
}

function withValue(base: JsonObject, keys: readonly (string | number)[], value: Json): JsonObject {
  const copy = structuredClone(base)
  let holder = copy as Record<string | number, Json>
  for (const key of keys.slice(0, -1)) {
    holder[key] ??= {}
    holder = holder[key] as Record<string | number, Json>
  }
  holder[keys.at(-1) as string | number] = value
  return copy
}
