/**
 * Values that a contract allows and an attacker would try: SQL, search syntax, edges of numbers, odd characters. They
 * may be taken as the plain text they are or be refused; they may never fail the server or reach another table.
 * @module
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type DescField, fromJson, ScalarType } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { type Json, type JsonObject, roleFor, type ServedMethod, servedMethods, toRest } from './contracts.ts'
import { placesOf } from './mutations.ts'
import { assertNoFlaws, assertUnharmed, flawOf } from './refusals.ts'
import { initOf } from './rest.ts'
import type { Shop } from './shop.ts'

const hostileTexts = [
  "'",
  "' or '1'='1",
  "'; drop table product; --",
  '" union select * from sqlite_master --',
  "\\'; select pg_sleep(10); --",
  '$1 ? :name @p {0} %s',
  '"',
  'a AND (b OR',
  'NEAR(a b, 5)',
  '* -a ^b {title}: "x',
  'a & | ! <-> b:*',
  '%_\\',
  '../../etc/passwd',
  '{{7*7}}<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'null',
  'NaN',
  '\u0000',
  'a\u0000b',
  '\u202e\u200b\ufeff',
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}'.repeat(20),
  '\r\nset-cookie: a=b',
  ' ',
  '\u0130\u0131\ufb01\u1e9e',
  '9'.repeat(40),
]

const hostileNumbers = [
  '9223372036854775807',
  '-9223372036854775808',
  '9007199254740993',
  '2147483647',
  '-2147483648',
  '0',
  '-1',
]

interface Attack {
  readonly name: string
  readonly served: ServedMethod
  readonly field: string
  readonly request: JsonObject
}

const attacks: readonly Attack[] = servedMethods.flatMap((served) =>
  placesOf(served.method).flatMap(({ path, field, put }) =>
    hostileValues(field).map((value) => ({
      name: `${served.name} ${path}=${JSON.stringify(value).slice(0, 60)}`,
      served,
      field: path,
      request: put(value),
    })),
  ),
)

function hostileValues(field: DescField): readonly Json[] {
  if (field.message?.typeName.startsWith('google.')) {
    return field.message.name === 'FieldMask' ? ['noSuchField', 'a.b.c', '*', 'etag', 'order.order.order'] : []
  }
  if (field.message || field.enum) return field.enum && field.fieldKind === 'enum' ? [9999, -1] : []
  if (field.fieldKind === 'map') return hostileTexts.map((text) => ({ [text]: text }))
  const values = valuesOf(field.scalar as ScalarType)
  return field.fieldKind === 'list' ? values.map((value) => [value]) : values
}

function valuesOf(type: ScalarType): readonly Json[] {
  switch (type) {
    case ScalarType.STRING:
      return hostileTexts
    case ScalarType.INT32:
    case ScalarType.UINT32:
      return hostileNumbers.slice(3).map(Number)
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return hostileNumbers
    default:
      return []
  }
}

/** A caller of its own for every call: some of them end all sessions of who calls. */
async function tokenFor(shop: Shop, served: ServedMethod): Promise<string | undefined> {
  const role = roleFor(served.policy)
  if (role === 'service') return await shop.serviceToken()
  return role && (await shop.mint.token({ roles: [role] }))
}

/** Neither a fault of the server nor a call that hangs. */
async function flawOverRest(shop: Shop, { served, request }: Attack, at: number): Promise<string | undefined> {
  const binding = served.bindings[at]!
  const { path, query, body } = toRest(binding, request)
  const token = await tokenFor(shop, served)
  const init = initOf({
    method: binding.verb,
    token,
    headers: { 'idempotency-key': randomUUID() },
    ...(binding.isRaw ? { body: 'sku,title\n1,2' } : body === undefined ? {} : { json: body }),
  })
  const response = await fetch(`${shop.program.http}${path}${query && '?'}${query}`, init)
  if (response.status < 300) {
    // A stream that was taken goes on until its reader leaves.
    await response.body?.cancel()
    return undefined
  }
  const text = await response.text()
  return flawOf({ status: response.status, headers: response.headers, text, json: JSON.parse(text) })
}

const faults = new Set(['internal', 'unavailable', 'timeout', 'unsupported'])

async function flawOverGrpc(shop: Shop, { served, request }: Attack): Promise<string | undefined> {
  const { method } = served
  let message: unknown
  try {
    message = fromJson(method.input, request)
  } catch {
    // What no client can say cannot be sent; raw bytes are tried elsewhere.
    return undefined
  }
  const authorization = await tokenFor(shop, served)
  const options = {
    idempotencyKey: randomUUID(),
    timeoutMs: 5_000,
    ...(authorization && { headers: { authorization: `Bearer ${authorization}` } }),
  }
  try {
    if (method.methodKind === 'unary') await shop.transport().unary(method, message, options)
    else await firstOf(shop.transport().stream(method, once(message), { ...options, timeoutMs: 300 }))
    return undefined
  } catch (error) {
    if (!PlatformError.is(error)) return `no fault of ours: ${error}`
    if (error.kind === 'timeout' && method.methodKind !== 'unary') return undefined
    return faults.has(error.kind) ? `${error.kind} ${error.code} ${error.message}` : undefined
  }
}

async function firstOf(answers: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of answers) return
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value
}

/** Runs the suite on a shop. */
export function describeHostile(engine: string, open: () => Promise<Shop>): void {
  let shop: Shop

  before(async () => {
    shop = await open()
    await shop.stock(3, { title: "Robert'); DROP TABLE product;--" })
  })

  after(() => shop[Symbol.asyncDispose]())

  describe(`bad input, hostile values on ${engine}`, () => {
    it('by REST is data or refused, and never a fault', async () => {
      const checks = attacks.flatMap((attack) =>
        attack.served.bindings.map((binding, at) => ({
          name: `${binding.verb} ${attack.name}`,
          run: () => flawOverRest(shop, attack, at),
        })),
      )
      await assertNoFlaws(checks)
      await assertUnharmed(shop)
    })

    it('by gRPC is data or refused, and never a fault', async () => {
      // The same handlers as behind REST: a third of the values shows that this door leads there too.
      const checks = attacks
        .filter((_, at) => at % 3 === 0)
        .map((attack) => ({ name: attack.name, run: () => flawOverGrpc(shop, attack) }))
      await assertNoFlaws(checks, { atOnce: 32 })
      await assertUnharmed(shop)
    })

    it('is kept as it came where it is text', async () => {
      const person = await shop.customer()
      for (const displayName of hostileTexts.filter((text) => !/\p{Cc}/u.test(text) && text.length <= 100)) {
        const changed = await shop.rest('/v1/me', { method: 'PATCH', token: person.token, json: { displayName } })
        assert.equal(changed.status, 200, `${displayName}: ${changed.text}`)
        assert.equal(changed.json.displayName.trim(), displayName.normalize('NFC').trim())
      }
    })

    it('finds by words and never by syntax', async () => {
      for (const q of hostileTexts.filter((text) => text.length <= 200)) {
        const found = await shop.rest(`/v1/products:search?q=${encodeURIComponent(q)}`)
        assert.ok(found.status === 200 || found.status === 400, `${q}: ${found.text}`)
      }
      const { json } = await shop.rest(`/v1/products:search?q=${encodeURIComponent("robert'); drop")}`)
      assert.equal(json.total, 1)
    })
  })
}
