/**
 * Requests that are broken as HTTP or as JSON, and bytes that are no message: every edge refuses them properly.
 */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { roleFor, servedMethods, toRest, validRequest } from './harness/contracts.ts'
import { assertNoFlaws, assertUnharmed, flawOf } from './harness/refusals.ts'
import type { RestRequest } from './harness/rest.ts'
import { openShop, type Shop } from './harness/shop.ts'

let shop: Shop
let service: string

before(async () => {
  shop = await openShop()
  service = await shop.serviceToken()
})

after(() => shop[Symbol.asyncDispose]())

const jsonBindings = servedMethods.flatMap((served) =>
  served.bindings.filter(({ body, isRaw }) => body !== '' && !isRaw).map((binding) => ({ served, binding })),
)

/** Sends the same broken body to every method that takes JSON. */
function toEveryMethod(what: string, request: RestRequest) {
  return jsonBindings.map(({ served, binding }) => ({
    name: `${binding.verb} ${binding.template}: ${what}`,
    run: async () => {
      const token = roleFor(served.policy) === undefined ? undefined : shop.operator.token
      const { path } = toRest(binding, validRequest(served.method))
      const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...request.headers }
      return flawOf(await shop.rest(path, { ...request, method: binding.verb, token, headers }))
    },
  }))
}

/** Writes bytes as they are and answers all that comes back. */
async function raw(bytes: string | Uint8Array, { half = false } = {}): Promise<string> {
  const { hostname, port } = new URL(shop.program.http)
  const socket = connect(Number(port), hostname)
  socket.setTimeout(15_000, () => socket.destroy(new Error('no answer in 15 s')))
  if (half) socket.write(bytes)
  else socket.end(bytes)
  let answer = ''
  socket.setEncoding('latin1')
  for await (const chunk of socket) {
    answer += chunk
    if (half && answer.includes('\r\n\r\n')) break
  }
  socket.destroy()
  return answer
}

describe('bad input, HTTP and JSON', () => {
  const deep = (open: string, close: string) => `${open.repeat(50_000)}${close.repeat(50_000)}`
  const bodies: Readonly<Record<string, string | Uint8Array>> = {
    'cut off': '{"email": "a@b.c", "pass',
    'no JSON': 'email=a&password=b',
    'a lone brace': '{',
    'two documents': '{}{}',
    'a byte order mark': '\ufeff{}',
    'a comment': '{/* */}',
    NaN: '{"quantity": NaN}',
    'broken UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    'overlong UTF-8': Buffer.from([0x7b, 0x22, 0xc0, 0xae, 0x22, 0x3a, 0x31, 0x7d]),
    'UTF-16': Buffer.from('{"note":"x"}', 'utf16le'),
    'random bytes': randomBytes(1_000),
    'deep lists': deep('[', ']'),
    'deep objects': `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
    'a list': '[]',
    'a text': '"text"',
    'a number': '7',
    'a boolean': 'true',
    'a huge number': `{"quantity":1${'0'.repeat(5_000)}}`,
    'a huge list': `{"lines":[${'{},'.repeat(150_000)}{}]}`,
    'a huge name': JSON.stringify({ ['x'.repeat(200_000)]: 1 }),
    'many names': JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`k${at}`, at]))),
    'both names of a field':
      '{"display_name":"a","displayName":"b","product_id":"a","productId":"b","orderId":"x","order_id":"y"}',
  }
  for (const [what, body] of Object.entries(bodies)) {
    it(`a body that is ${what} is refused by every method`, async () => {
      await assertNoFlaws(toEveryMethod(what, { body }))
    })
  }

  it('of a name that stands twice in a body the last one counts, as ECMAScript has it', async () => {
    const token = await shop.mint.token()
    const productId = await shop.stock(1)
    const put = (body: string) =>
      shop.rest(`/v1/cart/lines/${productId}`, { method: 'PUT', token, body, headers: json })
    assert.equal((await put('{"quantity":1,"quantity":"many"}')).status, 400)
    assert.deepEqual((await put('{"quantity":"many","quantity":2}')).json.lines, [{ productId, quantity: 2 }])
  })

  it('a body of another type is refused by every method', async () => {
    const types = ['text/plain', 'application/xml', 'multipart/form-data', 'application/json; charset=latin1', '', '/']
    for (const type of types) {
      await assertNoFlaws(toEveryMethod(type, { body: '{"note":"x"}', headers: { 'content-type': type } }))
    }
    await assertNoFlaws(toEveryMethod('gzip', { body: '{}', headers: { 'content-encoding': 'gzip' } }))
    await assertUnharmed(shop)
  })

  it('a body beyond the limit is refused before it is there', async () => {
    const answer = await shop.rest('/v1/auth/login', { body: `{"email":"${'x'.repeat(20_000)}"}`, headers: json })
    assert.equal(answer.status, 413)
    assert.equal(flawOf(answer), undefined)
    const announced = await raw(
      `POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n`,
      { half: true },
    )
    assert.match(announced, /^HTTP\/1\.1 413 /)
    await assertUnharmed(shop)
  })

  const json = { 'content-type': 'application/json' }

  it('a path that plays tricks finds nothing', async () => {
    const paths = [
      '/v1/products/..%2f..%2fetc%2fpasswd',
      '/v1/products/%2e%2e/%2e%2e/etc/passwd',
      '/v1//products',
      '//v1/products',
      '/v1/products/',
      '/v1/products/%00',
      '/v1/products/%ff',
      '/v1/products/%',
      '/v1/products/%zz',
      '/v1/products/a%2Fb',
      '/v1/products/a\\b',
      '/v1/products:nothing',
      '/v1/products/x:y:z',
      '/V1/products',
      '/v1/products;a=b',
      '/v1/orders/%3Cscript%3E',
      `/v1/products/${'a'.repeat(5_000)}`,
      `/${'a/'.repeat(2_000)}`,
      '/docs/../v1/me',
      '/docs/%2e%2e%2f%2e%2e%2fpackage.json',
      '/docs/errors/..%2f..%2f',
      '/__proto__',
      '/constructor',
    ]
    for (const path of paths) {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
      assert.match(answer, /^HTTP\/1\.1 4\d\d /, `${path}: ${answer.slice(0, 100)}`)
      assert.match(answer, /content-type: application\/problem\+json/i, path)
    }
    await assertUnharmed(shop)
  })

  it('a request that is no proper HTTP is refused or cut, and no other is smuggled in', async () => {
    const get = 'GET /v1/products HTTP/1.1\r\nhost: x\r\n'
    const broken: Readonly<Record<string, string>> = {
      'no host': 'GET /v1/products HTTP/1.1\r\n\r\n',
      'two hosts': `${get}host: y\r\n\r\n`,
      'a host that is none': 'GET /v1/products HTTP/1.1\r\nhost: a b/c\r\n\r\n',
      'another target': 'GET http://elsewhere/v1/products HTTP/1.1\r\nhost: x\r\n\r\n',
      'no method': '/v1/products HTTP/1.1\r\nhost: x\r\n\r\n',
      'an unknown method': 'BREW /v1/products HTTP/1.1\r\nhost: x\r\n\r\n',
      TRACE: 'TRACE /v1/products HTTP/1.1\r\nhost: x\r\n\r\n',
      CONNECT: 'CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n',
      'two lengths': 'POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}',
      'length and chunks':
        'POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'a bad chunk': 'POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n',
      'a negative length': 'POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
      'a space before the colon': `${get}authorization : Bearer x\r\n\r\n`,
      'a folded header': `${get}x-a: b\r\n c\r\n\r\n`,
      'a NUL in a header': `${get}x-a: b\0c\r\n\r\n`,
      'a bare line feed': 'GET /v1/products HTTP/1.1\nhost: x\n\n',
      'two hundred headers': `${get}${Array.from({ length: 200 }, (_, at) => `x-${at}: 1\r\n`).join('')}\r\n`,
      'a huge header': `${get}x-a: ${'a'.repeat(100_000)}\r\n\r\n`,
      'a huge cookie': `${get}cookie: ${'a=b; '.repeat(10_000)}\r\n\r\n`,
      'a huge target': `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
      'a version that is none': 'GET / HTTP/9.9\r\nhost: x\r\n\r\n',
      'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      'HTTP/2 at once': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'a bad timeout': `${get}x-timeout-ms: soon\r\nconnection: close\r\n\r\n`,
      'a bad range of time': `${get}grpc-timeout: 99999999999H\r\nconnection: close\r\n\r\n`,
    }
    for (const [what, bytes] of Object.entries(broken)) {
      const answer = await raw(Buffer.from(bytes, 'latin1'))
      assert.match(answer, /^(HTTP\/1\.1 4\d\d |$)/, `${what}: ${answer.slice(0, 300)}`)
      assert.equal(answer.split('HTTP/1.1 ').length <= 2, true, `${what}: ${answer}`)
    }
    await assertUnharmed(shop)
  })

  it('absurd headers that HTTP allows do no harm', async () => {
    const headers: Readonly<Record<string, string>>[] = [
      { 'if-none-match': '"'.repeat(500) },
      { 'if-match': 'W/"x", "y", *' },
      { accept: `${'text/html,'.repeat(300)}*/*` },
      { accept: ';;;q=-1' },
      { 'accept-encoding': 'gzip;q=NaN, br;q=9, *' },
      { traceparent: '00-'.padEnd(400, 'f') },
      { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` },
      { 'x-request-id': "'; drop table users; --" },
      { 'x-request-id': 'x'.repeat(4_000) },
      { 'x-forwarded-for': '1.2.3.4, '.repeat(200) },
      { origin: 'null' },
      { range: 'bytes=0-1,2-99999999999' },
      { expect: '100-continue' },
      { 'content-length': '0' },
    ]
    for (const extra of headers) {
      const lines = Object.entries(extra).map(([name, value]) => `${name}: ${value}\r\n`)
      const answer = await raw(`GET /v1/products HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${lines.join('')}\r\n`)
      assert.match(
        answer,
        /^HTTP\/1\.1 (200|100|4\d\d) /,
        `${JSON.stringify(extra).slice(0, 60)}: ${answer.slice(0, 200)}`,
      )
    }
    await assertUnharmed(shop)
  })

  it('bytes that are no message are refused by every gRPC method', async () => {
    using client = Object.assign(new Client(shop.program.grpc, credentials.createInsecure()), {
      [Symbol.dispose]: () => client.close(),
    })
    const messages: Readonly<Record<string, Buffer>> = {
      'a cut varint': Buffer.from([0x08, 0xff]),
      'a cut field': Buffer.from([0x0a, 0x7f, 0x61]),
      'broken UTF-8': Buffer.from([0x0a, 0x02, 0xff, 0xfe]),
      'field zero': Buffer.from([0x00, 0x01]),
      'an unknown wire type': Buffer.from([0x0f, 0x01]),
      'random bytes': Buffer.concat([Buffer.from([0x0f]), randomBytes(500)]),
      'open groups': Buffer.alloc(20_000, 0x0b),
      'a varint without end': Buffer.alloc(100, 0xff),
      'nothing but zeros': Buffer.alloc(1_000),
    }
    const checks = servedMethods.flatMap(({ name, method }) =>
      Object.entries(messages).map(([what, bytes]) => ({
        name: `${name}: ${what}`,
        run: async () => {
          const code = await callRaw(client, { path: `/${name}`, bytes, streams: method.methodKind !== 'unary' })
          // INVALID_ARGUMENT, or for bytes of an unknown field what the missing ones give.
          return [0, 3, 5, 7, 9, 16].includes(code) ? undefined : `status ${code}`
        },
      })),
    )
    await assertNoFlaws(checks)
    const huge = await callRaw(client, {
      path: '/plinth.orders.v1.OrdersService/PlaceOrder',
      bytes: Buffer.alloc(6_000_000, 0x61),
      streams: false,
    })
    assert.ok(huge === 8 || huge === 3, `status ${huge}`)
    const unknown = await callRaw(client, { path: '/no.such.Service/Method', bytes: Buffer.alloc(0), streams: false })
    assert.equal(unknown, 12)
    await assertUnharmed(shop)
  })

  function callRaw(
    client: Client,
    { path, bytes, streams }: { readonly path: string; readonly bytes: Buffer; readonly streams: boolean },
  ): Promise<number> {
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${service}`)
    metadata.set('idempotency-key', randomUUID())
    const same = (value: Buffer) => value
    const options = { deadline: Date.now() + 5_000 }
    return new Promise((resolve) => {
      if (streams) {
        const call = client.makeBidiStreamRequest(path, same, same, metadata, options)
        call.on('error', (error: ServiceError) => resolve(error.code))
        call.on('end', () => resolve(0))
        // A stream that was taken answers, or says nothing: it is left then.
        call.on('data', () => call.cancel())
        call.end(bytes)
        setTimeout(() => resolve(0), 1_000).unref()
      } else {
        client.makeUnaryRequest(path, same, same, bytes, metadata, options, (error) => resolve(error?.code ?? 0))
      }
    })
  }
})
