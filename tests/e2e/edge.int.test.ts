/** What the edges of a running shop promise besides answering: versions, compression, documents, health, discovery. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createClient } from '@plinth/rpc'
import { Health, HealthCheckResponse_ServingStatus } from '@plinth/rpc/contract/grpc/health/v1/health_pb.js'
import { ServerReflection } from '@plinth/rpc/contract/grpc/reflection/v1/reflection_pb.js'
import { Validator } from '@seriousme/openapi-schema-validator'
// @ts-expect-error it comes without types
import postman from 'postman-collection'
import { servedMethods } from './harness/contracts.ts'
import { eventually } from './harness/eventually.ts'
import { errorLines } from './harness/program.ts'
import { openShop, type Shop } from './harness/shop.ts'

let shop: Shop
let productId: string

before(async () => {
  shop = await openShop()
  productId = await shop.stock(3, { description: 'A waitress in Paris. '.repeat(100) })
})

after(async () => {
  assert.deepEqual(errorLines(shop.program), [])
  await shop[Symbol.asyncDispose]()
})

describe('the REST edge', () => {
  it('gives versions, answers 304 to who has the newest and 412 to who changes an old one', async () => {
    const path = `/v1/products/${productId}`
    const read = await shop.rest(path, { headers: { 'accept-encoding': 'identity' } })
    const etag = read.headers.get('etag')!
    assert.match(etag, /^"[^"]+"$/)
    const same = await shop.rest(path, { headers: { 'if-none-match': `"other", ${etag}` } })
    assert.deepEqual([same.status, same.text, same.headers.get('etag')], [304, '', etag])
    assert.equal((await shop.rest(path, { headers: { 'if-none-match': '"other"' } })).status, 200)
    const change = (ifMatch: string, title: string) =>
      shop.rest(path, {
        method: 'PATCH',
        token: shop.operator.token,
        json: { title },
        headers: { 'if-match': ifMatch },
      })
    const changed = await change(etag, 'Sunset')
    assert.deepEqual([changed.status, changed.json.title], [200, 'Sunset'])
    const stale = await change(etag, 'Midnight')
    assert.deepEqual([stale.status, stale.json.code], [412, 'catalog.stale'])
    assert.equal((await change('*', 'Midnight')).status, 200)
    assert.equal((await shop.rest(path, { headers: { 'if-none-match': etag } })).json.title, 'Midnight')
  })

  it('compresses what is worth it, as the caller likes', async () => {
    for (const encoding of ['gzip', 'br']) {
      const answer = await shop.rest(`/v1/products/${productId}`, { headers: { 'accept-encoding': encoding } })
      assert.equal(answer.headers.get('content-encoding'), encoding)
      assert.equal(answer.json.productId, productId)
      assert.match(answer.headers.get('vary') ?? '', /accept-encoding/i)
    }
    const plain = await shop.rest(`/v1/products/${productId}`, { headers: { 'accept-encoding': 'identity' } })
    assert.equal(plain.headers.get('content-encoding'), null)
  })

  it('answers HEAD as GET without the body', async () => {
    const headers = { 'accept-encoding': 'identity' }
    const get = await shop.rest(`/v1/products/${productId}`, { headers })
    const head = await shop.rest(`/v1/products/${productId}`, { method: 'HEAD', headers })
    assert.deepEqual([head.status, head.text], [200, ''])
    for (const name of ['etag', 'content-type', 'content-length', 'cache-control']) {
      assert.equal(head.headers.get(name), get.headers.get(name), name)
    }
    assert.equal((await shop.rest('/v1/me', { method: 'HEAD' })).status, 401)
  })

  it('lets no page of another origin in, and says which methods there are', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
    const preflight = await shop.rest('/v1/orders', { method: 'OPTIONS', headers })
    assert.equal(preflight.headers.get('access-control-allow-origin'), null)
    const answer = await shop.rest('/v1/products', { headers: { origin: 'https://evil.example' } })
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    const wrong = await shop.rest('/v1/cart', { method: 'PATCH' })
    assert.equal(wrong.status, 405)
    assert.deepEqual(wrong.headers.get('allow')?.split(', ').sort(), ['DELETE', 'GET', 'HEAD', 'OPTIONS'])
  })

  it('describes every method in an OpenAPI document that a public validator accepts', async () => {
    const { json } = await shop.rest('/openapi.json')
    const { valid, errors } = await new Validator().validate(structuredClone(json))
    assert.ok(valid, JSON.stringify(errors))
    const described = Object.values(json.paths as Record<string, object>).reduce(
      (count, path) => count + Object.keys(path).filter((key) => /^(get|put|post|patch|delete)$/.test(key)).length,
      0,
    )
    assert.equal(described, servedMethods.flatMap(({ bindings }) => bindings).length)
  })

  it('serves the reference, the pages of errors and a Postman collection', async () => {
    const docs = await shop.rest('/docs')
    assert.equal(docs.status, 200)
    assert.match(docs.headers.get('content-type') ?? '', /^text\/html/)
    const assets = [...docs.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!)
    assert.ok(assets.length > 0)
    for (const url of assets) {
      assert.ok(!/^(https?:)?\/\//.test(url), `${url} is elsewhere`)
      assert.equal((await shop.rest(new URL(url, `${shop.program.http}/docs`).pathname)).status, 200, url)
    }
    const { json } = await shop.rest('/v1/products/nothing')
    assert.equal((await shop.rest(json.type)).status, 200, json.type)
    const collection = new postman.Collection((await shop.rest('/postman.json')).json)
    let requests = 0
    collection.forEachItem(() => {
      requests++
    })
    assert.ok(requests >= servedMethods.flatMap(({ bindings }) => bindings).length)
  })

  it('gives every answer a request id, and takes over the trace of the caller', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const answer = await shop.rest('/v1/products/nothing', { headers: { traceparent } })
    assert.match(answer.json.instance, /^urn:request:/)
    const id = answer.json.instance.slice('urn:request:'.length)
    const find = async () => shop.program.records.find((record) => record.request_id === id) ?? 'no line'
    const line = await eventually(find, { what: 'the line of the call', timeoutMs: 5_000 })
    assert.equal(line.trace_id, '0af7651916cd43dd8448eb211c80319c')
  })
})

describe('health and discovery', () => {
  const admin = async (path: string) => {
    const response = await fetch(`${shop.program.admin}${path}`)
    return { status: response.status, text: await response.text() }
  }

  it('the probes say that the shop is started, alive and ready', async () => {
    for (const path of ['/startupz', '/healthz', '/readyz']) assert.equal((await admin(path)).status, 200, path)
    assert.equal((await admin('/nothing')).status, 404)
    assert.equal((await fetch(`${shop.program.http}/metrics`)).status, 404)
  })

  it('the metrics count the calls by method and outcome', async () => {
    const { text } = await admin('/metrics')
    const line = text.split('\n').find((each) => /^rpc_server_requests_total\{.*GetProduct.*"ok".*\} \d/.test(each))
    assert.ok(line, text.slice(0, 2_000))
    assert.match(text, /^process_|^plinth_process_|resident_memory/m)
  })

  it('gRPC tells its health and its services', async () => {
    const health = createClient(Health, shop.transport())
    const services = new Set(servedMethods.map(({ name }) => name.split('/')[0]!))
    for (const service of ['', ...services]) {
      assert.equal((await health.check({ service })).status, HealthCheckResponse_ServingStatus.SERVING, service)
    }
    await assert.rejects(health.check({ service: 'no.such.Service' }), { kind: 'not_found' })
    const reflection = createClient(ServerReflection, shop.transport())
    const ask = (async function* () {
      yield { messageRequest: { case: 'listServices' as const, value: '' } }
    })()
    const listed: string[] = []
    for await (const { messageResponse } of reflection.serverReflectionInfo(ask)) {
      if (messageResponse.case !== 'listServicesResponse') continue
      listed.push(...messageResponse.value.service.map(({ name }) => name))
    }
    for (const service of services) assert.ok(listed.includes(service), `${service} is not in ${listed}`)
  })
})
