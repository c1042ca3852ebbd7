import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'
import { boundsOf } from './field-bounds.ts'

/** How deep examples go into messages; a message that contains itself has to end somewhere. */
const depthMax = 4
/** Tried in turn on a field with a pattern. */
const candidates = [
  'USD',
  'DE',
  'en-GB',
  'red-shoe',
  'a',
  'A1',
  '1',
  '2026-01-02',
  '+441632960001',
  'abcdefgh',
  'ABCDEFGH',
  'Abcdefgh1!',
]

/** An example of a message in JSON that keeps the bounds of its contract, as far as they can be met without thought. */
export function exampleOf(desc: DescMessage, skip: ReadonlySet<string> = new Set()): unknown {
  return messageExample(desc, skip, 0)
}

/** An example of one field, undefined where none can be made up. */
export function fieldExample(field: DescField, depth = 0): unknown {
  const { rules, items } = boundsOf(field)
  switch (field.fieldKind) {
    case 'list': {
      const item = valueExample(field, items, depth)
      return item === undefined ? [] : new Array(Math.max(1, Number(rules.minItems ?? 1))).fill(item)
    }
    case 'map': {
      const value = valueExample(field, items, depth)
      return value === undefined ? {} : { [field.mapKey === ScalarType.STRING ? 'key' : '1']: value }
    }
    default:
      return valueExample(field, rules, depth)
  }
}

function messageExample(desc: DescMessage, skip: ReadonlySet<string>, depth: number): unknown {
  const example: Record<string, unknown> = {}
  const chosen = new Set<string>()
  for (const field of desc.fields) {
    if (skip.has(field.jsonName) || (field.oneof && chosen.has(field.oneof.name))) continue
    const value = fieldExample(field, depth)
    if (value === undefined) continue
    example[field.jsonName] = value
    if (field.oneof) chosen.add(field.oneof.name)
  }
  return example
}

function valueExample(field: DescField, rules: Readonly<Record<string, unknown>>, depth: number): unknown {
  if (field.enum) return (field.enum.values[1] ?? field.enum.values[0])?.name
  if (!field.message) return scalarExample(field, field.scalar as ScalarType, rules)
  if (isWrapperDesc(field.message)) {
    return scalarExample(field, (field.message.fields[0] as DescField).scalar as ScalarType, rules)
  }
  switch (field.message.typeName) {
    case 'google.protobuf.Timestamp':
      return '2026-01-02T03:04:05Z'
    case 'google.protobuf.Duration':
      return '1.500s'
    case 'google.protobuf.FieldMask':
      return ''
    case 'google.protobuf.Any':
      return {}
    case 'google.protobuf.Value':
      return 'any'
    case 'google.protobuf.ListValue':
      return []
    case 'google.protobuf.Struct':
      return {}
    default:
      return depth >= depthMax ? undefined : messageExample(field.message, new Set(), depth + 1)
  }
}

function scalarExample(field: DescField, type: ScalarType, rules: Readonly<Record<string, unknown>>): unknown {
  const given = rules.const ?? (Array.isArray(rules.in) ? rules.in[0] : undefined)
  if (given !== undefined) return typeof given === 'bigint' ? String(given) : given
  switch (type) {
    case ScalarType.STRING:
      return stringExample(field, rules)
    case ScalarType.BOOL:
      return true
    case ScalarType.BYTES:
      return 'AQI='
    default:
      return numberExample(type, rules)
  }
}

function stringExample(field: DescField, rules: Readonly<Record<string, unknown>>): string | undefined {
  if (rules.uuid === true) return '01890a5d-ac96-774b-bcce-b302099a8057'
  if (rules.email === true || field.name === 'email') return 'ada@example.com'
  if (rules.uri === true) return 'https://example.com/'
  if (typeof rules.pattern === 'string') {
    const pattern = new RegExp(rules.pattern, 'u')
    return candidates.find((candidate) => pattern.test(candidate))
  }
  const text = field.name.replaceAll('_', ' ')
  const max = Number(rules.maxLen ?? rules.len ?? 200)
  return text.slice(0, max).padEnd(Number(rules.minLen ?? rules.len ?? 0), 'x')
}

function numberExample(type: ScalarType, rules: Readonly<Record<string, unknown>>): number | string {
  const low = rules.gte ?? rules.gt
  const high = rules.lte ?? rules.lt
  const from = low === undefined ? undefined : Number(low) + (rules.gte === undefined ? 1 : 0)
  const to = high === undefined ? undefined : Number(high) - (rules.lte === undefined ? 1 : 0)
  const value = Math.min(Math.max(1, from ?? 1), to ?? Number.POSITIVE_INFINITY)
  const isLong = [
    ScalarType.INT64,
    ScalarType.UINT64,
    ScalarType.SINT64,
    ScalarType.FIXED64,
    ScalarType.SFIXED64,
  ].includes(type)
  return isLong ? String(value) : value
}
