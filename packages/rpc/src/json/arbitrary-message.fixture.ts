import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf'
import { AnySchema, anyPack, isWrapperDesc } from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'

/** Generates messages of any type for property tests: every field may be there, to a depth. */
export function arbitraryMessage(desc: DescMessage, depth = 1): fc.Arbitrary<Message> {
  return wellKnown(desc) ?? ordinary(desc, depth)
}

const text = fc.string({ unit: 'binary', maxLength: 50 })
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)
const nanos = fc.oneof(fc.constant(0), fc.constantFrom(1, 1_000, 1_000_000, 999_999_999), fc.nat(999_999_999))

function wellKnown(desc: DescMessage): fc.Arbitrary<Message> | undefined {
  switch (desc.typeName) {
    case 'google.protobuf.Timestamp':
      return fc
        .record({ seconds: fc.bigInt(-62_135_596_800n, 253_402_300_799n), nanos })
        .map((init) => create(desc, init as never))
    case 'google.protobuf.Duration':
      return fc
        .record({ seconds: fc.bigInt(0n, 315_576_000_000n), nanos, sign: fc.constantFrom(1, -1) })
        .map(({ seconds, nanos, sign }) =>
          create(desc, { seconds: seconds * BigInt(sign), nanos: nanos === 0 ? 0 : nanos * sign } as never),
        )
    case 'google.protobuf.FieldMask':
      return fc
        .array(fc.constantFrom('title', 'unit_price.amount_minor', 'a.b_c.d', 'x'))
        .map((paths) => create(desc, { paths } as never))
    case 'google.protobuf.Any':
      return fc.constant(create(AnySchema))
    case 'google.protobuf.Value':
      return arbitraryValue(desc)
    case 'google.protobuf.ListValue':
      return fc
        .array(arbitraryValue(desc.fields[0]?.message as DescMessage), { maxLength: 3 })
        .map((values) => create(desc, { values } as never))
    default:
      return undefined
  }
}

function arbitraryValue(desc: DescMessage): fc.Arbitrary<Message> {
  return fc
    .oneof(
      fc.constant({ case: 'nullValue', value: 0 }),
      fc.record({ case: fc.constant('boolValue'), value: fc.boolean() }),
      fc.record({ case: fc.constant('stringValue'), value: text }),
      fc.record({
        case: fc.constant('numberValue'),
        value: fc.double({ noNaN: true, noDefaultInfinity: true }).map(noMinusZero),
      }),
    )
    .map((kind) => create(desc, { kind } as never))
}

function ordinary(desc: DescMessage, depth: number): fc.Arbitrary<Message> {
  const fields = Object.fromEntries(
    desc.members.flatMap((member) => {
      if (member.kind === 'oneof') {
        const cases = member.fields.map((field) =>
          single(field, depth).map((value) => ({ case: field.localName, value })),
        )
        return [[member.localName, fc.oneof(...cases) as fc.Arbitrary<unknown>] as const]
      }
      if (depth === 0 && member.message && member.message === desc) return []
      return [[member.localName, value(member, depth)] as const]
    }),
  )
  return fc.record(fields, { requiredKeys: [] }).map((init) => create(desc, init as never))
}

function value(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.fieldKind === 'list') return fc.array(single(field, depth), { maxLength: 3 })
  if (field.fieldKind === 'map') {
    const key = field.mapKey === ScalarType.STRING ? fc.string({ maxLength: 8 }) : scalar(field.mapKey).map(String)
    return fc.dictionary(key, single(field, depth), { maxKeys: 3, noNullPrototype: true })
  }
  return single(field, depth)
}

function single(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.enum) {
    const known = fc.constantFrom(...field.enum.values.map((item) => item.number))
    return field.enum.typeName === 'google.protobuf.NullValue' ? fc.constant(0) : fc.oneof(known, fc.integer())
  }
  if (!field.message) {
    const made = scalar(field.scalar as ScalarType)
    return 'longAsString' in field && field.longAsString ? made.map(String) : made
  }
  if (field.fieldKind === 'message' && !field.oneof && isWrapperDesc(field.message)) {
    return scalar((field.message.fields[0] as DescField).scalar as ScalarType)
  }
  if (field.message.typeName === 'google.protobuf.Struct') return fc.dictionary(text, json, { noNullPrototype: true })
  if (field.message.typeName === 'google.protobuf.Any') {
    return depth === 0
      ? fc.constant(create(AnySchema))
      : arbitraryMessage(field.parent, 0).map((message) => anyPack(field.parent, message))
  }
  return depth === 0 && field.message === field.parent
    ? fc.constant(create(field.message))
    : arbitraryMessage(field.message, depth - 1)
}

/** JSON as JavaScript writes it has no minus zero. */
function noMinusZero(value: number): number {
  return Object.is(value, -0) ? 0 : value
}

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return text
    case ScalarType.BOOL:
      return fc.boolean()
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 20 })
    case ScalarType.DOUBLE:
      return fc.double().map(noMinusZero)
    case ScalarType.FLOAT:
      return fc.float().map(noMinusZero)
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return fc.integer()
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.nat(2 ** 31 - 1).map((n) => n * 2)
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt(0n, 2n ** 64n - 1n)
    default:
      return fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
  }
}
