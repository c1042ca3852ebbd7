import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, type DescMessage, fromBinary, isMessage, toBinary } from '@bufbuild/protobuf'
import {
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  StructSchema,
  ValueSchema,
} from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'
import { GroupRulesSchema, NumberRulesSchema } from '../contract/gen/plinth/rpc/testing/v1/rules_pb.ts'
import { ProbeItemSchema, ProbeSchema } from '../contract/gen/plinth/rpc/testing/v1/transport_pb.ts'
import { compileCopy } from './copy-message.ts'
import { compileSizeCheck } from './message-size.ts'
import { fullProbe } from './testing/transport-messages.ts'

describe('compileCopy()', () => {
  it('compileCopy() makes of any decoded message an equal one that shares nothing', () => {
    for (const desc of [
      ProbeSchema,
      GroupRulesSchema,
      NumberRulesSchema,
      FieldDescriptorProtoSchema,
    ] as DescMessage[]) {
      const copy = compileCopy(desc)
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
          let message: ReturnType<typeof fromBinary>
          try {
            message = fromBinary(desc, bytes)
          } catch {
            return
          }
          assert.deepEqual(toBinary(desc, copy(message)), toBinary(desc, message))
        }),
        { numRuns: 500 },
      )
    }
  })

  it('compileCopy() makes of a literal what create() makes of it', () => {
    const copy = compileCopy(ProbeSchema)
    for (const init of [{}, { text: 'a', items: [{ name: 'b' }, create(ProbeItemSchema)] }, fullProbe()]) {
      const made = copy(init)
      assert.deepEqual(made, create(ProbeSchema, init))
      assert.ok(isMessage(made, ProbeSchema))
    }
    assert.deepEqual(copy({ text: undefined, items: null }), create(ProbeSchema))
  })

  it('compileCopy() copies bytes, also those that are a Buffer', () => {
    const blob = Buffer.from([1, 2, 3])
    const made = compileCopy(ProbeSchema)({ blob }) as unknown as { blob: Uint8Array }
    blob[0] = 9
    assert.deepEqual(made.blob, new Uint8Array([1, 2, 3]))
  })

  it('compileCopy() takes names that mean something to JavaScript for what they are', () => {
    const made = compileCopy(ProbeSchema)({
      byName: JSON.parse('{"__proto__": {"name": "a"}, "constructor": {"name": "b"}}'),
      facts: JSON.parse('{"__proto__": 1}'),
    }) as unknown as { byName: Record<string, unknown>; facts: object }
    assert.deepEqual(Object.keys(made.byName), ['__proto__', 'constructor'])
    assert.deepEqual(Object.keys(made.facts), ['__proto__'])
  })

  it('compileCopy() refuses what does not fit, naming the field', () => {
    const copy = compileCopy(ProbeSchema)
    const wrong: [object, RegExp][] = [
      [{ text: 5 }, /Probe\.text: expected a string, received 5 \(number\)/],
      [{ number: 1.5 }, /Probe\.number: expected a whole number of 32 bits/],
      [{ big: 2n ** 63n }, /Probe\.big/],
      [{ counts: [-1n] }, /Probe\.counts/],
      [{ blob: [1] }, /Probe\.blob: expected bytes/],
      [{ items: [5] }, /ProbeItem: expected a message of this type/],
      [{ items: 'abc' }, /Probe\.items: expected an array/],
      [{ byName: 5 }, /Probe\.byName|Probe\.by_name/],
      [{ blobs: { x: new Uint8Array() } }, /Probe\.blobs: expected whole numbers as keys/],
      [{ choice: { case: 'other', value: 1 } }, /Probe\.choice: expected a known case, received "other"/],
      [{ facts: { f: () => 1 } }, /Probe\.facts: expected a JSON value/],
      [{ ratio: 1e39 }, /Probe\.ratio: expected a float/],
      [
        { inner: create(ProbeItemSchema) },
        /expected a message of this type, received plinth\.rpc\.testing\.v1\.ProbeItem/,
      ],
    ]
    for (const [init, message] of wrong) assert.throws(() => copy(init), { name: 'TypeError', message })
    for (const nothing of [null, undefined, 5, 'x']) assert.throws(() => copy(nothing), TypeError)
  })

  it('compileCopy() handles messages that contain themselves and those with defaults of their own', () => {
    const value = { kind: { case: 'structValue' as const, value: { fields: {} } } }
    assert.deepEqual(compileCopy(ValueSchema)(value), create(ValueSchema, value))
    assert.deepEqual(compileCopy(StructSchema)({}), create(StructSchema))
    const file = create(FileDescriptorProtoSchema, { name: 'a' })
    assert.deepEqual(
      toBinary(FileDescriptorProtoSchema, compileCopy(FileDescriptorProtoSchema)(file) as never),
      toBinary(FileDescriptorProtoSchema, file),
    )
  })
})

describe('compileSizeCheck()', () => {
  it('compileSizeCheck() agrees with the encoded size at every limit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 120 }), (bytes, limit) => {
        let message: ReturnType<typeof fromBinary>
        try {
          message = fromBinary(ProbeSchema, bytes)
        } catch {
          return
        }
        assert.equal(
          compileSizeCheck(ProbeSchema, limit)(message),
          toBinary(ProbeSchema, message as never).byteLength <= limit,
        )
      }),
      { numRuns: 1000 },
    )
    const full = fullProbe()
    const exact = toBinary(ProbeSchema, full).byteLength
    assert.equal(compileSizeCheck(ProbeSchema, exact)(full), true)
    assert.equal(compileSizeCheck(ProbeSchema, exact - 1)(full), false)
  })
})
