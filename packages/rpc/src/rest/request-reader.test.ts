import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import fc from 'fast-check'
import { ShelfService } from '../../contract/gen/plinth/rpc/shelf/v1/shelf_pb.ts'
import { chooseCoding } from './compression.ts'
import { restRulesOf } from './http-rules.ts'
import { compileRequestReader, type RestRequest } from './request-reader.ts'
import { ifMatchOf, isNotModified, timeoutOf } from './rest-headers.ts'

const rules = ShelfService.methods.flatMap((method) => restRulesOf(method))
const readers = rules.map((rule) => ({ rule, read: compileRequestReader(rule) }))

/** Runs `work`, letting pass nothing but faults that are the caller's. */
function onlyInvalid(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    assert.ok(PlatformError.is(error), String(error))
    assert.equal(error.kind, 'invalid')
  }
}

describe('compileRequestReader()', () => {
  it('answers any path, query, body and media type with a message or kind invalid', () => {
    const names = fc.constantFrom(
      'query',
      'page_size',
      'range.from',
      'range.next.next.to',
      'since',
      'labels',
      'author',
      'place',
      'shelf',
      '__proto__',
      'constructor.name',
      'book.title',
      'update_mask',
      '',
    )
    const query = fc
      .array(
        fc.tuple(
          fc.oneof(names, fc.string()),
          fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('%', '%ff', '1', '+')),
        ),
      )
      .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'))
    const body = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .dictionary(fc.constantFrom('book', 'title', 'size', 'shelf', '__proto__'), fc.jsonValue())
        .map((json) => Buffer.from(JSON.stringify(json))),
    )
    const request: fc.Arbitrary<RestRequest> = fc.record({
      segments: fc.array(fc.oneof(fc.string(), fc.constantFrom('%2F', '%ff', '..')), { minLength: 6, maxLength: 6 }),
      query,
      body,
      contentType: fc.constantFrom(
        undefined,
        'application/json',
        'application/json;charset="utf-8"',
        'text/plain',
        ';',
      ),
      ifMatch: fc.constantFrom(undefined, 'v1'),
    })
    fc.assert(
      fc.property(fc.constantFrom(...readers), request, ({ read }, asked) => onlyInvalid(() => read(asked))),
      { numRuns: 2_000 },
    )
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  it('restRulesOf() refuses methods that stream requests', () => {
    const streaming = { ...ShelfService.method.getBook, methodKind: 'client_streaming' }
    assert.throws(() => restRulesOf(streaming as never), /streams them/)
  })
})

describe('headers', () => {
  it('timeoutOf(), ifMatchOf(), isNotModified() and chooseCoding() answer any text or throw kind invalid', () => {
    const pieces = fc.string({
      unit: fc.constantFrom('"', 'W/', ',', ' ', 'a', '*', '1', 'S', ';', 'q=', '0.5', 'gzip', 'br', '\u00ff'),
    })
    fc.assert(
      fc.property(pieces, (text) => {
        onlyInvalid(() => timeoutOf({ 'x-timeout-ms': text }))
        onlyInvalid(() => timeoutOf({ 'grpc-timeout': text }))
        onlyInvalid(() => ifMatchOf({ 'if-match': text }))
        isNotModified({ 'if-none-match': text }, 'a')
        chooseCoding(text)
      }),
      { numRuns: 2_000 },
    )
  })

  for (const [headers, ms] of [
    [{}, undefined],
    [{ 'x-timeout-ms': '250' }, 250],
    [{ 'grpc-timeout': '2S' }, 2_000],
    [{ 'grpc-timeout': '500u' }, 0.5],
    [{ 'grpc-timeout': '99999999H' }, 86_400_000],
    [{ 'x-timeout-ms': '1', 'grpc-timeout': '2S' }, 1],
  ] as const) {
    it(`timeoutOf(${JSON.stringify(headers)}) is ${ms}`, () => assert.equal(timeoutOf(headers), ms))
  }

  it('timeoutOf() refuses zero, fractions and more than a day', () => {
    for (const text of ['0', '1.5', '-1', '86400001', '']) {
      assert.throws(() => timeoutOf({ 'x-timeout-ms': text }), { code: 'rpc.header_invalid' })
    }
  })
})
