import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'
import { boundsOf } from './field-bounds.ts'

/** A JSON Schema of draft 2020-12, which OpenAPI 3.1 takes as it is. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** What was written in the contract, by full name; `gen/comments.json` of each contract holds it. */
export type ContractComments = Readonly<Record<string, string>>

/** Describes messages as the JSON mapping writes them, collecting what they refer to. */
export class SchemaWriter {
  /** Every message referred to so far, by full name. */
  readonly components: Record<string, JsonSchema> = {}
  readonly #comments: ContractComments

  constructor(comments: ContractComments) {
    this.#comments = comments
  }

  comment(name: string): string | undefined {
    return Object.hasOwn(this.#comments, name) ? this.#comments[name] : undefined
  }

  /** A reference to a message, which is described once among the components. */
  reference(desc: DescMessage): JsonSchema {
    const special = wellKnown.get(desc.typeName)
    if (special) return special
    if (isWrapperDesc(desc)) return this.#scalar((desc.fields[0] as DescField).scalar as ScalarType)
    if (!Object.hasOwn(this.components, desc.typeName)) {
      // Set before it is described: a message may contain itself.
      this.components[desc.typeName] = {}
      this.components[desc.typeName] = this.message(desc)
    }
    return { $ref: `#/components/schemas/${desc.typeName}` }
  }

  /** The members of a message, without those that `skip` names by their JSON name. */
  message(desc: DescMessage, skip: ReadonlySet<string> = new Set()): JsonSchema {
    const fields = desc.fields.filter((field) => !skip.has(field.jsonName))
    const required = fields.filter((field) => boundsOf(field).required).map((field) => field.jsonName)
    const description = this.comment(desc.typeName)
    return {
      type: 'object',
      ...(description === undefined ? {} : { description }),
      properties: Object.fromEntries(fields.map((field) => [field.jsonName, this.field(field)])),
      ...(required.length > 0 ? { required } : {}),
    }
  }

  /** A field with its bounds and the comment above it. */
  field(field: DescField): JsonSchema {
    const { rules, items } = boundsOf(field)
    const own = this.comment(`${field.parent.typeName}.${field.name}`)
    const choice = field.oneof && `One of: ${field.oneof.fields.map((other) => other.jsonName).join(', ')}.`
    const description = [own, choice].filter((part) => part !== undefined).join('\n\n')
    const about = {
      ...(description === '' ? {} : { description }),
      ...(field.proto.options?.deprecated ? { deprecated: true } : {}),
    }
    switch (field.fieldKind) {
      case 'list':
        return { type: 'array', items: this.value(field, items), ...listBounds(rules), ...about }
      case 'map':
        return { type: 'object', additionalProperties: this.value(field, items), ...mapBounds(rules), ...about }
      default:
        return { ...this.value(field, rules), ...about }
    }
  }

  /** One value of a field, whether single, in a list or in a map. */
  value(field: DescField, rules: Readonly<Record<string, unknown>>): JsonSchema {
    if (field.enum) {
      if (field.enum.typeName === 'google.protobuf.NullValue') return { type: 'null' }
      const description = this.comment(field.enum.typeName)
      const names = field.enum.values.map((value) => value.name)
      return { type: 'string', enum: names, ...(description === undefined ? {} : { description }) }
    }
    if (!field.message) return { ...this.#scalar(field.scalar as ScalarType), ...scalarBounds(rules) }
    if (isWrapperDesc(field.message)) return { ...this.reference(field.message), ...scalarBounds(rules) }
    return this.reference(field.message)
  }

  #scalar(type: ScalarType): JsonSchema {
    switch (type) {
      case ScalarType.STRING:
        return { type: 'string' }
      case ScalarType.BOOL:
        return { type: 'boolean' }
      case ScalarType.BYTES:
        return { type: 'string', contentEncoding: 'base64' }
      case ScalarType.DOUBLE:
      case ScalarType.FLOAT:
        return { type: 'number', format: type === ScalarType.FLOAT ? 'float' : 'double' }
      case ScalarType.INT32:
      case ScalarType.SINT32:
      case ScalarType.SFIXED32:
        return { type: 'integer', format: 'int32' }
      case ScalarType.UINT32:
      case ScalarType.FIXED32:
        return { type: 'integer', format: 'uint32', minimum: 0 }
      case ScalarType.UINT64:
      case ScalarType.FIXED64:
        return { type: 'string', format: 'uint64', pattern: '^[0-9]{1,20}$' }
      default:
        return { type: 'string', format: 'int64', pattern: '^-?[0-9]{1,19}$' }
    }
  }
}

const wellKnown: ReadonlyMap<string, JsonSchema> = new Map<string, JsonSchema>([
  ['google.protobuf.Timestamp', { type: 'string', format: 'date-time' }],
  ['google.protobuf.Duration', { type: 'string', pattern: '^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$' }],
  ['google.protobuf.FieldMask', { type: 'string', description: 'Field names in lowerCamelCase with commas between.' }],
  ['google.protobuf.Struct', { type: 'object' }],
  ['google.protobuf.Value', {}],
  ['google.protobuf.ListValue', { type: 'array', items: {} }],
  ['google.protobuf.Empty', { type: 'object' }],
  ['google.protobuf.Any', { type: 'object', properties: { '@type': { type: 'string' } }, additionalProperties: true }],
])

const formats = ['uuid', 'email', 'hostname', 'ipv4', 'ipv6', 'uri'] as const

/** Bounds of strings and numbers. 64-bit numbers are strings in JSON, so theirs go under names of our own. */
function scalarBounds(rules: Readonly<Record<string, unknown>>): JsonSchema {
  const bounds: Record<string, unknown> = {}
  const set = (keyword: string, value: unknown) => {
    if (value !== undefined) bounds[keyword] = typeof value === 'bigint' ? Number(value) : value
  }
  set('minLength', rules.minLen ?? rules.len)
  set('maxLength', rules.maxLen ?? rules.len)
  set('pattern', typeof rules.pattern === 'string' ? rules.pattern : undefined)
  set('const', typeof rules.const === 'bigint' ? String(rules.const) : rules.const)
  if (Array.isArray(rules.in) && rules.in.length > 0)
    bounds.enum = rules.in.map((v) => (typeof v === 'bigint' ? String(v) : v))
  for (const format of formats) if (rules[format] === true) bounds.format = format
  for (const [rule, keyword] of [
    ['gte', 'minimum'],
    ['gt', 'exclusiveMinimum'],
    ['lte', 'maximum'],
    ['lt', 'exclusiveMaximum'],
  ] as const) {
    const limit = rules[rule]
    if (typeof limit === 'number') bounds[keyword] = limit
    if (typeof limit === 'bigint') bounds[`x-${keyword}`] = String(limit)
  }
  return bounds
}

function listBounds(rules: Readonly<Record<string, unknown>>): JsonSchema {
  return {
    ...(rules.minItems === undefined ? {} : { minItems: Number(rules.minItems) }),
    ...(rules.maxItems === undefined ? {} : { maxItems: Number(rules.maxItems) }),
    ...(rules.unique === true ? { uniqueItems: true } : {}),
  }
}

function mapBounds(rules: Readonly<Record<string, unknown>>): JsonSchema {
  return {
    ...(rules.minPairs === undefined ? {} : { minProperties: Number(rules.minPairs) }),
    ...(rules.maxPairs === undefined ? {} : { maxProperties: Number(rules.maxPairs) }),
  }
}
