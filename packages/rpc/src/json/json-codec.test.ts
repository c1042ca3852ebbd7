import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  create,
  createRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import fc from 'fast-check'
import { type Everything, EverythingSchema } from '../../contract/gen/plinth/rpc/shelf/v1/everything_pb.ts'
import { BookSchema, ListBooksRequestSchema } from '../../contract/gen/plinth/rpc/shelf/v1/shelf_pb.ts'
import { arbitraryMessage } from './arbitrary-message.fixture.ts'
import { compileJsonDecoder } from './json-decoder.ts'
import { compileJsonEncoder, compileJsonFieldEncoder } from './json-encoder.ts'
import { parseJson } from './parse-json.ts'

const registry = createRegistry(EverythingSchema, BookSchema)
const encode = compileJsonEncoder(EverythingSchema, { registry })
const encodeBrief = compileJsonEncoder(EverythingSchema, { registry, emitDefaults: false })
const decode = compileJsonDecoder(EverythingSchema, { registry })

function faultOf(work: () => unknown): PlatformError {
  try {
    work()
  } catch (error) {
    assert.ok(PlatformError.is(error), String(error))
    return error
  }
  throw new Error('expected a fault')
}

/** Compares as the other side of a wire sees it: there a NaN equals a NaN, and a float has 32 bits. */
function assertSame(actual: Message, expected: Message): void {
  const write = (message: Message) => toBinary(EverythingSchema, message as Everything)
  const bytes = (message: Message) => Buffer.from(write(fromBinary(EverythingSchema, write(message)))).toString('hex')
  assert.equal(bytes(actual), bytes(expected))
}

/** Broken fields and rules of a document that must be refused. */
function broken(json: unknown, schema: DescMessage = EverythingSchema): string[] {
  const fault = faultOf(() => compileJsonDecoder(schema, { registry })(json))
  assert.equal(fault.kind, 'invalid')
  assert.equal(fault.code, 'rpc.invalid_request')
  return (fault.details.violations ?? []).map((violation) => `${violation.field} ${violation.rule}`)
}

describe('compileJsonEncoder()', () => {
  it('writes what protobuf-es writes, with and without defaults', () => {
    fc.assert(
      fc.property(arbitraryMessage(EverythingSchema), (message) => {
        const options = { registry, alwaysEmitImplicit: true }
        assert.deepEqual(
          JSON.parse(encode(message)),
          JSON.parse(toJsonString(EverythingSchema, message as Everything, options)),
        )
        assert.deepEqual(
          JSON.parse(encodeBrief(message)),
          JSON.parse(toJsonString(EverythingSchema, message as Everything, { registry })),
        )
      }),
      { numRuns: 80 },
    )
  })

  it('makes lone surrogates of a handler harmless', () => {
    assert.equal(encodeBrief(create(EverythingSchema, { text: 'a\ud800' })), '{"text":"a\ufffd"}')
  })

  it('refuses what JSON has no form for', () => {
    const bad = (init: object) => () => encode(create(EverythingSchema, init))
    assert.throws(bad({ time: { seconds: 2n ** 40n, nanos: 0 } }), RangeError)
    assert.throws(bad({ duration: { seconds: 1n, nanos: -1 } }), RangeError)
    assert.throws(bad({ mask: { paths: ['notSnake'] } }), RangeError)
    assert.throws(bad({ value: { kind: { case: 'numberValue', value: NaN } } }), RangeError)
    assert.throws(bad({ value: {} }), RangeError)
    assert.throws(bad({ any: { typeUrl: 'type.googleapis.com/no.Such', value: new Uint8Array() } }), RangeError)
  })

  it('writes one field alone', () => {
    const texts = EverythingSchema.field.texts
    assert.equal(compileJsonFieldEncoder(texts)(create(EverythingSchema, { texts: ['a', 'b'] })), '["a","b"]')
    assert.equal(compileJsonFieldEncoder(EverythingSchema.field.inner)(create(EverythingSchema)), 'null')
  })
})

describe('compileJsonDecoder()', () => {
  it('reads back every message, and reads what protobuf-es writes as protobuf-es reads it', () => {
    fc.assert(
      fc.property(arbitraryMessage(EverythingSchema), (message) => {
        const text = toJsonString(EverythingSchema, message as Everything, { registry })
        const theirs = fromJson(EverythingSchema, JSON.parse(text), { registry })
        const mine = decode(JSON.parse(text))
        assertSame(mine, theirs)
        assertSame(decode(JSON.parse(encode(message))), message)
      }),
      { numRuns: 80 },
    )
  })

  it('accepts of any JSON only what protobuf-es accepts too, and reads the same; else it throws kind invalid', () => {
    const keys = EverythingSchema.fields.map((field) => field.jsonName)
    const values = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(
        null,
        '',
        '1',
        '-0',
        '01',
        '1e2',
        'NaN',
        'Infinity',
        'AQ==',
        'COLOUR_RED',
        9e99,
        -1,
        2 ** 40,
        '2026-02-30T00:00:00Z',
        '1.5s',
        '5s5',
        [null],
        { '': null },
      ),
    )
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), values, { maxKeys: 4 }), (json) => {
        fc.pre(!hasNullBesideChoice(json))
        let mine: Message
        try {
          mine = decode(json)
        } catch (error) {
          assert.ok(PlatformError.is(error), String(error))
          assert.equal(error.kind, 'invalid')
          return
        }
        const theirs = fromJson(EverythingSchema, json as JsonValue, { registry })
        assertSame(mine, theirs)
      }),
      { numRuns: 3_000 },
    )
  })

  it('throws nothing but kind invalid on any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(`{"text":"${text}"}`)),
    )
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          decode(parseJson(input))
        } catch (error) {
          assert.ok(PlatformError.is(error), String(error))
          assert.equal(error.kind, 'invalid')
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('reports every broken field at once, by its path', () => {
    const found = broken({
      text: 5,
      colour: 'COLOUR_PINK',
      int32: 2 ** 31,
      int64: 1.5,
      uint64: '-1',
      data: '*',
      flags: [true, 'yes', null],
      inner: { texts: 'x', nope: 1 },
      intsByText: {},
      textByText: { 'a"b': 1 },
      int64ByInt32: { x: '1' },
      time: '2026-02-30T00:00:00Z',
      duration: '1',
      mask: 'not_camel',
      any: { '@type': 'type.googleapis.com/no.Such' },
      struct: [],
    })
    assert.deepEqual(found, [
      'text json.type',
      'colour json.enum',
      'int32 json.range',
      'int64 json.type',
      'uint64 json.range',
      'data json.format',
      'flags[1] json.type',
      'flags[2] json.type',
      'inner.texts json.type',
      'inner.nope json.unknown_field',
      'intsByText json.unknown_field',
      'textByText["a\\"b"] json.type',
      'int64ByInt32["x"] json.type',
      'time json.format',
      'duration json.format',
      'mask json.format',
      'any.@type json.any',
      'struct json.type',
    ])
  })

  it('refuses a field or oneof given twice', () => {
    assert.deepEqual(broken({ proto_key: 'a', ['__proto__']: 'b' }), ['__proto__ json.duplicate'])
    assert.deepEqual(broken({ choiceText: 'a', choiceInt64: '1' }), ['choiceInt64 json.oneof'])
    assert.deepEqual(broken({ int64ByInt32: { '0': '1', '-0': '2' } }), ['int64ByInt32["-0"] json.duplicate'])
  })

  it('refuses numbers that JSON has already bent, and takes them as strings', () => {
    assert.deepEqual(broken({ int64: 2 ** 53 }), ['int64 json.range'])
    assert.deepEqual(broken(parseJson(Buffer.from('{"double":1e999}'))), ['double json.range'])
    assert.equal((decode({ int64: '9007199254740993' }) as never as { int64: bigint }).int64, 9007199254740993n)
  })

  it('refuses lone surrogates in text, keys and structs', () => {
    assert.deepEqual(broken({ text: '\ud800' }), ['text json.utf8'])
    assert.deepEqual(broken({ textByText: { '\ud800': '' } }), ['textByText["\\ud800"] json.utf8'])
    assert.deepEqual(broken({ struct: { a: '\udc00' } }), ['struct["a"] json.utf8'])
  })

  it('keeps __proto__ a key like any other', () => {
    const json = JSON.parse('{"textByText":{"__proto__":"x"},"struct":{"__proto__":{"polluted":true}}}')
    const message = decode(json) as unknown as { textByText: object; struct: object }
    assert.equal(Object.getPrototypeOf(message.textByText), Object.prototype)
    assert.deepEqual(Object.keys(message.textByText), ['__proto__'])
    assert.deepEqual(Object.keys(message.struct), ['__proto__'])
    assert.equal((message.struct as { polluted?: boolean }).polluted, undefined)
    assert.equal(({} as { polluted?: boolean }).polluted, undefined)
  })

  it('stops at its limits of depth, elements and violations', () => {
    let deep: unknown = {}
    for (let at = 0; at < 70; at++) deep = { inner: deep }
    assert.match(broken(deep)[0] as string, /json\.depth$/)
    let list: unknown = 1
    for (let at = 0; at < 100_000; at++) list = [list]
    assert.match(broken({ value: list })[0] as string, /json\.depth$/)
    const limits = { elementsMax: 10 }
    const fault = faultOf(() => compileJsonDecoder(EverythingSchema, limits)({ int32s: new Array(11).fill(1) }))
    assert.equal(fault.details.violations?.[0]?.rule, 'json.elements')
    assert.equal(decodeWith(limits, { int32s: new Array(10).fill(1) }), 10)
    assert.equal(broken({ int32s: new Array(5_000).fill('x') }).length, 100)
  })

  it('leaves out of an error what a secret could be', () => {
    const fault = faultOf(() => parseJson(Buffer.from('{"password": hunter2}')))
    assert.equal(fault.code, 'rpc.invalid_json')
    assert.doesNotMatch(fault.message, /hunter2/)
  })

  it('refuses bytes that are not UTF-8, and a byte order mark', () => {
    assert.equal(faultOf(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22))).code, 'rpc.invalid_json')
    assert.equal(faultOf(() => parseJson(Buffer.from('\ufeff{}'))).code, 'rpc.invalid_json')
  })

  it('takes JSON and proto names, enum numbers, null as default, and base64 of both alphabets', () => {
    const message = decode({ maybe_text: 'a', colour: 2, int32: null, data: '-_8', datas: ['+/8='] })
    const expected = create(EverythingSchema, {
      maybeText: 'a',
      colour: 2,
      data: Uint8Array.of(0xfb, 0xff),
      datas: [Uint8Array.of(0xfb, 0xff)],
    })
    assertSame(message, expected)
    assert.deepEqual(broken({ ranges: [{ next: null, from: null }, null] }, ListBooksRequestSchema), [
      'ranges[1] json.type',
    ])
  })
})

function decodeWith(limits: object, json: unknown): number {
  return (compileJsonDecoder(EverythingSchema, limits)(json) as unknown as { int32s: unknown[] }).int32s.length
}

/** Null sets nothing, so beside another member of its oneof it is no second choice; protobuf-es counts it and refuses. */
function hasNullBesideChoice(json: Readonly<Record<string, unknown>>): boolean {
  return EverythingSchema.oneofs.some(({ fields }) => {
    const given = fields.map(({ jsonName }) => json[jsonName]).filter((value) => value !== undefined)
    return given.length > 1 && given.includes(null)
  })
}
