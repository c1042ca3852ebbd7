import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createHttpServer } from '@plinth/http'
import { Validator } from '@seriousme/openapi-schema-validator'
// @ts-expect-error The package brings no types.
import postman from 'postman-collection'
import comments from '../../contract/gen/comments.json' with { type: 'json' }
import { ShelfService } from '../../contract/gen/plinth/rpc/shelf/v1/shelf_pb.ts'
import { bindService } from '../bind-service.ts'
import { createDispatcher } from '../dispatch.ts'
import { compileJsonDecoder } from '../json/json-decoder.ts'
import { createPostmanCollection } from '../postman/postman-collection.ts'
import { mountRest } from '../rest/mount-rest.ts'
import { callErrorCodes } from './call-error-codes.ts'
import { describeRoutes } from './describe-route.ts'
import { exampleOf } from './example.ts'
import type { JsonSchema } from './json-schema.ts'
import { mountApiDocs } from './mount-api-docs.ts'
import { createOpenApi } from './open-api.ts'

const unused = () => {
  throw new Error('Cannot be called here')
}
const implementation = Object.fromEntries(Object.keys(ShelfService.method).map((name) => [name, unused]))
const dispatcher = createDispatcher([bindService(ShelfService, implementation as never)])
const info = { title: 'Shelf', version: '1.2.3', comments: [comments] }

type Document = {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, { readonly properties: Record<string, JsonSchema> }> }
}
interface Operation {
  readonly operationId: string
  readonly description?: string
  readonly security?: unknown[]
  readonly parameters: readonly JsonSchema[]
  readonly responses: Record<string, { readonly content: Record<string, unknown> }>
}

describe('createOpenApi()', () => {
  const document = createOpenApi(dispatcher, info) as unknown as Document

  it('makes a document that a public validator accepts as OpenAPI 3.1', async () => {
    const validator = new Validator()
    const result = await validator.validate(JSON.parse(JSON.stringify(document)))
    assert.deepEqual(result.errors ?? [], [])
    assert.equal(result.valid, true)
    assert.equal(validator.version, '3.1')
  })

  it('says what the contract says: comments, bounds, access, streams, headers', () => {
    const get = document.paths['/v1/books/{bookId}']?.get as Operation
    assert.equal(get.operationId, 'ShelfService_GetBook')
    assert.equal(get.description, 'One book. Its version is in `etag`.')
    assert.deepEqual(get.security, [])
    const title = document.components.schemas['plinth.rpc.shelf.v1.Book']?.properties.title
    assert.deepEqual(title, { type: 'string', minLength: 1, maxLength: 200, description: 'Shown to readers.' })
    const patch = document.paths['/v1/books/{bookId}']?.patch as Operation
    assert.equal(patch.security, undefined)
    assert.ok(patch.parameters.some((parameter) => parameter.$ref === '#/components/parameters/IfMatch'))
    const create = document.paths['/v1/books']?.post as Operation
    assert.ok(create.parameters.some((parameter) => parameter.$ref === '#/components/parameters/IdempotencyKey'))
    const list = document.paths['/v1/books']?.get as Operation
    const names = list.parameters.map((parameter) => parameter.name)
    assert.ok(names.includes('range.from') && names.includes('colour') && !names.includes('labels'))
    const watch = document.paths['/v1/books:watch']?.get as Operation
    assert.deepEqual(Object.keys(watch.responses['200']?.content ?? {}), ['application/x-ndjson', 'text/event-stream'])
    assert.ok(document.paths['/v1/books/{bookId}']?.['x-purge'])
  })
})

it('exampleOf() makes messages that their own decoder reads', () => {
  for (const { bound } of describeRoutes(dispatcher)) {
    for (const desc of [bound.method.input, bound.method.output]) {
      compileJsonDecoder(desc)(JSON.parse(JSON.stringify(exampleOf(desc))))
    }
  }
})

/** What is read here of Postman's own classes. */
interface PostmanItem {
  readonly name: string
  readonly events: { all(): readonly { readonly listen: string }[] }
  readonly request: {
    readonly url: { toString(): string; getPath(): string }
    readonly body?: { readonly raw?: string }
  }
}

it('createPostmanCollection() makes a collection that Postman reads, with variables, auth, bodies and tests', () => {
  const made = createPostmanCollection(dispatcher, { ...info, baseUrl: 'http://localhost:1' })
  const collection = new postman.Collection(JSON.parse(JSON.stringify(made)))
  const requests: PostmanItem[] = []
  collection.forEachItem((entry: PostmanItem) => requests.push(entry))
  assert.equal(requests.length, describeRoutes(dispatcher).length)
  assert.equal(collection.variables.get('baseUrl'), 'http://localhost:1')
  assert.equal(collection.auth?.type, 'bearer')
  for (const request of requests) {
    assert.equal(request.events.all()[0]?.listen, 'test')
    assert.match(request.request.url.toString(), /^\{\{baseUrl\}\}\/v1\//)
  }
  const lend = requests.find((request) => request.name === 'LendBook')
  assert.equal(lend?.request.url.getPath(), '/v1/books/{{bookId}}:lend')
  assert.equal(typeof JSON.parse(lend?.request.body?.raw ?? '').reader, 'string')
})

it('callErrorCodes names every code of the README, with its kind', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| `(rpc\.\w+)` \| ([\w ,]+) \|/gm)].map(([, code, kind]) => [
    code,
    kind?.split(',')[0],
  ])
  const known = callErrorCodes.filter(({ code }) => code.startsWith('rpc.')).map(({ code, kind }) => [code, kind])
  assert.ok(rows.length > 10)
  assert.deepEqual(
    rows.map(([code, kind]) => [code, kind === 'by its status' ? 'unavailable' : kind]),
    known,
  )
})

describe('mountApiDocs()', () => {
  it('serves documents, reference and error pages from itself, under a strict policy, with ETags', async () => {
    await using server = createHttpServer({ port: 0 })
    mountRest(server, dispatcher)
    mountApiDocs(server, dispatcher, {
      ...info,
      errorCodes: [{ code: 'shelf.<full>', kind: 'exhausted', when: 'The shelf is full' }],
    })
    const { url } = await server.listen()
    for (const path of ['/openapi.json', '/postman.json', '/docs', '/docs/reference.js', '/docs/errors']) {
      const answer = await fetch(url + path)
      assert.equal(answer.status, 200, path)
      await answer.arrayBuffer()
      const etag = answer.headers.get('etag') ?? ''
      assert.equal((await fetch(url + path, { headers: { 'if-none-match': etag } })).status, 304, path)
    }
    const page = await fetch(`${url}/docs`)
    assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self';/)
    const html = await page.text()
    assert.doesNotMatch(html, /https?:|<script>/)
    for (const [, path = ''] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const asset = await fetch(url + path)
      assert.equal(asset.status, 200, path)
      if (path.includes('/assets/')) assert.match(asset.headers.get('cache-control') ?? '', /immutable/)
      await asset.arrayBuffer()
    }
    const known = await fetch(`${url}/docs/errors/${encodeURIComponent('shelf.<full>')}`)
    assert.match(await known.text(), /shelf\.&lt;full&gt;/)
    assert.equal((await fetch(`${url}/docs/errors/http.not_found`)).status, 200)
    assert.equal((await fetch(`${url}/docs/errors/no.such`)).status, 404)
    const wrong = await fetch(`${url}/openapi.json`, { method: 'POST' })
    assert.equal(wrong.status, 405)
    assert.equal(wrong.headers.get('allow'), 'GET, HEAD, OPTIONS')
  })
})
