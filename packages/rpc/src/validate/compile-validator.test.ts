import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'
import { createValidator, type Violation } from '@bufbuild/protovalidate'
import { systemClock } from '@plinth/base'
import fc from 'fast-check'
import {
  BytesRulesSchema,
  CelRulesSchema,
  GroupRulesSchema,
  NumberRulesSchema,
  PairRulesSchema,
  TextRulesSchema,
  UnknownRulesSchema,
  WrongRulesSchema,
} from '../../contract/gen/plinth/rpc/testing/v1/rules_pb.ts'
import { ProbeSchema } from '../../contract/gen/plinth/rpc/testing/v1/transport_pb.ts'
import { compileCopy } from '../copy-message.ts'
import { compileValidator } from './compile-validator.ts'

const reference = createValidator()

/** The reference's paths, spelled in JSON names. */
function pathOf(violation: Violation): string {
  let path = ''
  for (const step of violation.field) {
    if (step.kind === 'field') path += `${path === '' ? '' : '.'}${step.jsonName}`
    else if (step.kind === 'oneof') path += `${path === '' ? '' : '.'}${step.name}`
    else if (step.kind === 'list_sub') path += `[${step.index}]`
    else if (step.kind === 'map_sub') path += `[${typeof step.key === 'string' ? JSON.stringify(step.key) : step.key}]`
  }
  return path
}

function expected(desc: DescMessage, message: Message): string[] {
  const result = reference.validate(desc, message)
  if (result.kind === 'error') throw result.error
  return (result.violations ?? []).map((violation) => `${pathOf(violation)} ${violation.ruleId}`).sort()
}

const interesting = [
  ...['', 'a', 'b', 'ab', 'ba', 'aba', 'abc', 'abcd', 'abcde', 'é', 'éé', '😀', '😀😀', '😀a😀b', 'a b', 'ac\u00a0c'],
  ...[
    'a@b.c',
    'a@b',
    '@b',
    'a@-b',
    'a.b+c@d-e.f',
    'localhost',
    'a.b.',
    'a..b',
    '-a.b',
    'a.1',
    'xn--a.b',
    `${'a'.repeat(64)}.b`,
  ],
  ...[
    '1.2.3.4',
    '01.2.3.4',
    '1.2.3',
    '256.1.1.1',
    '::',
    '::1',
    '1::2:',
    ':::',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
    '::ffff:1.2.3.4',
  ],
  ...[
    'fe80::1%en0',
    'fe80::1%',
    '1:2:3:4:5:6:1.2.3.4',
    '12345::',
    'http://a',
    'http://a/b?c#d',
    'http://[::1]:80/',
    'http://[v1.a]',
  ],
  ...[
    'http://[::1%25en0]/',
    'http://a b',
    'mailto:a',
    'a:',
    ':a',
    '//a/b',
    '/a',
    'a/b:c',
    'a:b/c',
    '?',
    '#',
    '%zz',
    '%41',
    'http://%ff',
    'x://a:b@c:1/',
  ],
  ...[
    '123e4567-e89b-12d3-a456-426614174000',
    '123e4567e89b12d3a456426614174000',
    '123E4567-E89B-12D3-A456-42661417400G',
  ],
]
const text = fc.oneof(
  fc.constantFrom(...interesting),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.webUrl(),
  fc.ipV6(),
  fc.ipV4(),
  fc.emailAddress(),
  fc.domain(),
  fc.uuid(),
)

function scalar(kind: ScalarType, asString: boolean): fc.Arbitrary<unknown> {
  switch (kind) {
    case ScalarType.STRING:
      return text
    case ScalarType.BOOL:
      return fc.boolean()
    case ScalarType.BYTES:
      return fc.oneof(
        fc
          .constantFrom('', 'a', 'b', 'ab', 'ba', 'aba', 'abcde', 'aabb', 'aaaabbbbccccdddd')
          .map((s) => new TextEncoder().encode(s)),
        fc.string({ maxLength: 5 }).map((s) => new TextEncoder().encode(s)),
      )
    case ScalarType.FLOAT:
      return fc.oneof(fc.constantFrom(0, NaN, Infinity, 1.5, -1.5), fc.float())
    case ScalarType.DOUBLE:
      return fc.oneof(fc.constantFrom(0, NaN, -Infinity, 1.5, -1.5), fc.double())
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64: {
      const whole = fc.oneof(fc.bigInt({ min: -5n, max: 5n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
      return asString ? whole.map(String) : whole
    }
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.oneof(fc.bigInt({ min: 0n, max: 5n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.nat({ max: 5 })
    default:
      return fc.integer({ min: -5, max: 5 })
  }
}

function single(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.enum) return fc.integer({ min: 0, max: 4 })
  if (field.message) {
    const inner = field.message
    if (isWrapperDesc(inner) && field.fieldKind === 'message' && !field.oneof)
      return single(inner.fields[0] as DescField, 0)
    if (inner.typeName === 'google.protobuf.Timestamp' || inner.typeName === 'google.protobuf.Duration') {
      const around = BigInt(Math.floor(systemClock.nowMs() / 1000))
      const seconds = fc.oneof(
        fc.bigInt({ min: 0n, max: 12n }),
        fc.constantFrom(around - 500n, around + 500n, around - 20n, around + 20n),
      )
      return fc.record({ seconds, nanos: fc.constantFrom(0, 4, 5, 6) })
    }
    if (inner.typeName === 'google.protobuf.Any')
      return fc.record({ typeUrl: fc.constantFrom('', 'type.googleapis.com/a', 'b') })
    return message(inner, depth - 1)
  }
  return scalar(field.scalar as ScalarType, 'longAsString' in field && field.longAsString === true)
}

function message(desc: DescMessage, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const members: Record<string, fc.Arbitrary<unknown>> = {}
  for (const member of desc.members) {
    if (member.kind === 'oneof') {
      const cases = member.fields.map((field) =>
        fc.record({ case: fc.constant(field.localName), value: single(field, depth) }),
      )
      members[member.localName] = fc.oneof(fc.constant({ case: undefined }), ...cases)
    } else if (depth <= 0 && member.message && !isWrapperDesc(member.message)) {
    } else if (member.fieldKind === 'list') {
      members[member.localName] = fc.array(single(member, depth), { maxLength: 4 })
    } else if (member.fieldKind === 'map') {
      const key =
        member.mapKey === ScalarType.STRING
          ? fc.string({ maxLength: 3 }).filter((k) => k !== '__proto__')
          : fc.integer({ min: -3, max: 3 }).map(String)
      members[member.localName] = fc.dictionary(key, single(member, depth), { maxKeys: 3 })
    } else {
      members[member.localName] = fc.option(single(member, depth), { nil: undefined })
    }
  }
  return fc.record(members, { requiredKeys: [] })
}

describe('compileValidator()', () => {
  for (const desc of [
    TextRulesSchema,
    BytesRulesSchema,
    NumberRulesSchema,
    GroupRulesSchema,
    PairRulesSchema,
    ProbeSchema,
  ] as DescMessage[]) {
    it(`compileValidator() finds in ${desc.name} exactly what protovalidate finds`, () => {
      const validate = compileValidator(desc, { clock: systemClock })
      fc.assert(
        fc.property(message(desc, 2), (init) => {
          const value = create(desc, init) as Message
          const found = (validate(value) ?? []).map((violation) => `${violation.field} ${violation.rule}`).sort()
          const all = expected(desc, value)
          // Past the bound, which ones are named is ours to choose.
          const wanted = all.length > 100 ? all.filter((line) => found.includes(line)) : all
          assert.deepEqual(found, wanted)
          assert.equal(found.length, Math.min(100, all.length))
        }),
        { numRuns: 200 },
      )
    })
  }

  it('compileValidator() refuses the character NUL in any string, as databases do', () => {
    const found = compileValidator(ProbeSchema)(create(ProbeSchema, { text: 'a\0b', byName: { '\0': {} } }))
    assert.deepEqual(
      found?.map(({ field, rule }) => [field, rule]),
      [
        ['text', 'string.no_nul'],
        ['byName["\\u0000"]', 'string.no_nul'],
      ],
    )
  })

  it('compileValidator() refuses a string with a lone surrogate wherever it is', () => {
    const validate = compileValidator(ProbeSchema)
    const lone = '\ud800'
    const found = validate(
      compileCopy(ProbeSchema)({
        text: lone,
        byName: { [lone]: { name: lone } },
        choice: { case: 'word', value: lone },
        wrapped: lone,
        facts: { a: [lone] },
        inner: { note: lone },
        items: [{}, { name: lone }],
      }),
    )
    assert.deepEqual(
      found?.map((violation) => violation.rule),
      Array(found?.length).fill('string.well_formed'),
    )
    assert.deepEqual(
      found?.map((violation) => violation.field).sort(),
      [
        'byName["\\ud800"]',
        'byName["\\ud800"].name',
        'facts',
        'inner.note',
        'items[1].name',
        'text',
        'word',
        'wrapped',
      ].sort(),
    )
  })

  it('compileValidator() stops at 100 violations', () => {
    const items = Array.from({ length: 500 }, () => ({ quantity: -1 }))
    assert.equal(compileValidator(ProbeSchema)(compileCopy(ProbeSchema)({ items }))?.length, 100)
  })

  it('compileValidator() refuses at bind time what it cannot compile, naming the field', () => {
    assert.throws(() => compileValidator(CelRulesSchema), /CelRules\.a: CEL is not supported/)
    assert.throws(() => compileValidator(UnknownRulesSchema), /UnknownRules\.a: the rule string\.ipv4_prefix is not/)
    assert.throws(() => compileValidator(WrongRulesSchema), /WrongRules\.a: the pattern/)
  })
})
