import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Book, ListBooksRequest } from '../../contract/gen/plinth/rpc/shelf/v1/shelf_pb.ts'
import { type ShelfServer, startShelf } from './rest.fixture.ts'

const good = { authorization: 'Bearer good' }
const json = { 'content-type': 'application/json' }

interface Problem {
  readonly type: string
  readonly status: number
  readonly code: string
  readonly instance: string
  readonly retryable: boolean
  readonly violations?: readonly { readonly field: string; readonly rule: string }[]
}

async function problemOf(answer: Response, status: number): Promise<Problem> {
  const problem = (await answer.json()) as Problem
  assert.equal(answer.status, status, JSON.stringify(problem))
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  assert.equal(problem.status, status)
  assert.equal(problem.type, `/docs/errors/${problem.code}`)
  return problem
}

/** Asks for a list with a query and gives the request the handler saw, or the violations. */
async function query(started: ShelfServer, text: string): Promise<ListBooksRequest | string[]> {
  const answer = await fetch(`${started.url}/v1/books?${text}`)
  if (answer.status === 200) {
    await answer.arrayBuffer()
    return started.shelf.request as ListBooksRequest
  }
  return (await problemOf(answer, 400)).violations?.map((v) => `${v.field} ${v.rule}`) ?? []
}

describe('mountRest() maps paths, queries and bodies onto requests', () => {
  it('binds path variables of one and of many segments, over additional bindings too', async () => {
    await using started = await startShelf()
    const seen = () => started.shelf.request as Record<string, unknown>
    await fetch(`${started.url}/v1/books/a%2Fb%20c`)
    assert.equal(seen().bookId, 'a/b c')
    await fetch(`${started.url}/v1/shelves/1%2F2/books/%41?with_labels=true`)
    assert.equal(seen().name, 'shelves/1%2F2/books/A')
    assert.equal(seen().withLabels, true)
    const file = await fetch(`${started.url}/v1/files/a/b%20c/d%2Fe`)
    assert.equal(await file.text(), 'file a/b c/d%2Fe')
    assert.equal(file.headers.get('content-type'), 'text/plain; charset=utf-8')
  })

  it('reads every kind of query parameter', async () => {
    await using started = await startShelf()
    const seen = (await query(
      started,
      'query=a+b%26c&page_size=5&range.from=-3&range.next.next.to=9&author=x&author=y&colour=COLOUR_RED&colour=2' +
        '&since=2026-01-02T03:04:05Z&age=1.5s&series=s&lent=false&cursor=-_8&weight=NaN&priceMinor=0&fields=title,priceMinor&room=4',
    )) as ListBooksRequest
    assert.equal(seen.query, 'a b&c')
    assert.equal(seen.pageSize, 5)
    assert.deepEqual(seen.range?.from, -3n)
    assert.deepEqual(seen.range?.next?.next?.to, 9n)
    assert.deepEqual(seen.author, ['x', 'y'])
    assert.deepEqual(seen.colour, [1, 2])
    assert.deepEqual(seen.since?.seconds, 1_767_323_045n)
    assert.deepEqual(seen.age?.nanos, 500_000_000)
    assert.equal(seen.series, 's')
    assert.equal(seen.lent, false)
    assert.deepEqual([...seen.cursor], [0xfb, 0xff])
    assert.ok(Number.isNaN(seen.weight))
    assert.equal(seen.priceMinor, 0n)
    assert.deepEqual(seen.fields?.paths, ['title', 'price_minor'])
    assert.deepEqual(seen.place, { case: 'room', value: 4 })
  })

  it('refuses every broken parameter at once', async () => {
    await using started = await startShelf()
    assert.deepEqual(
      await query(
        started,
        'nope=1&page_size=x&range.from=1.5&lent=yes&labels=a&ranges=b&query=%ff&page_token=a&pageToken=b&shelf=a&room=1&colour=PINK&range=1',
      ),
      [
        'nope query.unknown_parameter',
        'pageSize json.type',
        'range.from json.type',
        'lent json.type',
        'labels query.type',
        'ranges query.type',
        'query query.escape',
        'pageToken query.duplicate',
        'room json.oneof',
        'colour json.enum',
        'range query.type',
      ],
    )
    assert.deepEqual(await query(started, 'page_size=101'), ['pageSize int32.gte_lte'])
    assert.deepEqual(await query(started, 'a&'.repeat(600)), [' query.parameters'])
  })

  it('reads bodies: the whole message, one field, raw, and none where none belongs', async () => {
    await using started = await startShelf()
    const seen = () =>
      started.shelf.request as { book?: Book; bookId?: string; content?: { contentType: string }; overwrite?: boolean }
    const created = await fetch(`${started.url}/v1/books`, {
      method: 'POST',
      headers: { ...good, 'content-type': 'application/json; charset=UTF-8', 'idempotency-key': 'k1' },
      body: '{"book":{"title":"Emma","priceMinor":"5"},"shelf":"A"}',
    })
    assert.equal(created.status, 200)
    assert.equal(seen().book?.priceMinor, 5n)
    assert.equal(started.shelf.context?.idempotencyKey, 'k1')
    assert.equal(started.shelf.context?.principal?.id, 'u1')
    const lent = await fetch(`${started.url}/v1/books/9:lend`, { method: 'POST', headers: good })
    assert.equal(lent.status, 200)
    assert.equal(seen().bookId, '9')
    const file = await fetch(`${started.url}/v1/files/x/y?overwrite=true`, {
      method: 'PUT',
      headers: { ...good, 'content-type': 'image/png' },
      body: Uint8Array.of(1, 2, 3),
    })
    assert.deepEqual(await file.json(), { bytes: '3' })
    assert.equal(seen().content?.contentType, 'image/png')
    assert.equal(seen().overwrite, true)
    const echoed = await fetch(`${started.url}/v1/raw:echo`, {
      method: 'POST',
      headers: { 'content-type': 'a/b' },
      body: 'xyz',
    })
    assert.equal(echoed.headers.get('content-type'), 'a/b')
    assert.equal(await echoed.text(), 'xyz')
    const needless = await fetch(`${started.url}/v1/books/1`, { method: 'DELETE', headers: good, body: '{}' })
    assert.equal((await problemOf(needless, 400)).code, 'http.malformed')
  })

  it('derives the field mask of a PATCH from its body, unless it is given', async () => {
    await using started = await startShelf()
    const patch = async (body: string, search = '') => {
      const answer = await fetch(`${started.url}/v1/books/7${search}`, {
        method: 'PATCH',
        headers: { ...good, ...json },
        body,
      })
      assert.equal(answer.status, 200, await answer.text())
      return started.shelf.request as { book: { bookId: string }; updateMask?: { paths: string[] } }
    }
    const derived = await patch(
      '{"title":"T","size":{"pages":3},"labels":{"a":"b"},"authors":null,"bookId":"8","etag":"x"}',
    )
    assert.deepEqual(derived.updateMask?.paths, ['title', 'size.pages', 'labels', 'authors'])
    assert.equal(derived.book.bookId, '7')
    assert.deepEqual((await patch('{"title":"T","size":{}}')).updateMask?.paths, ['title', 'size'])
    assert.deepEqual((await patch('{"title":"T"}', '?updateMask=priceMinor')).updateMask?.paths, ['price_minor'])
    const put = await fetch(`${started.url}/v1/books/7`, {
      method: 'PUT',
      headers: { ...good, ...json },
      body: '{"title":"T"}',
    })
    assert.equal(put.status, 200)
    assert.equal((started.shelf.request as { updateMask?: unknown }).updateMask, undefined)
  })

  it('serves methods that only the contract names, HEAD, OPTIONS, and 405 with Allow', async () => {
    await using started = await startShelf()
    const allow = 'DELETE, GET, HEAD, OPTIONS, PATCH, PURGE, PUT'
    const purged = await fetch(`${started.url}/v1/books/7`, { method: 'PURGE', headers: good })
    assert.equal(purged.status, 200)
    const head = await fetch(`${started.url}/v1/books/7`, { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.ok(Number(head.headers.get('content-length')) > 20)
    assert.equal(await head.text(), '')
    const options = await fetch(`${started.url}/v1/books/7`, { method: 'OPTIONS' })
    assert.equal(options.status, 204)
    assert.equal(options.headers.get('allow'), allow)
    const wrong = await fetch(`${started.url}/v1/books/7`, { method: 'POST', headers: good })
    assert.equal(wrong.headers.get('allow'), allow)
    assert.equal((await problemOf(wrong, 405)).code, 'http.method_not_allowed')
    assert.equal((await problemOf(await fetch(`${started.url}/v1/none`), 404)).code, 'http.not_found')
  })
})

describe('mountRest() answers faults with problem documents', () => {
  it('reports all broken fields of a body', async () => {
    await using started = await startShelf()
    const answer = await fetch(`${started.url}/v1/books`, {
      method: 'POST',
      headers: { ...good, ...json },
      body: '{"book":{"title":5,"priceMinor":-1.5,"x":1},"shelf":[]}',
    })
    const problem = await problemOf(answer, 400)
    assert.equal(problem.code, 'rpc.invalid_request')
    assert.deepEqual(
      problem.violations?.map((v) => `${v.field} ${v.rule}`),
      ['book.title json.type', 'book.priceMinor json.type', 'book.x json.unknown_field', 'shelf json.type'],
    )
    assert.equal(problem.instance, `urn:request:${answer.headers.get('x-request-id')}`)
  })

  for (const [name, init, status, code] of [
    ['no JSON', { body: '{"book":' }, 400, 'rpc.invalid_json'],
    ['broken UTF-8', { body: Uint8Array.of(0x22, 0xff, 0x22) }, 400, 'rpc.invalid_json'],
    [
      'another media type',
      { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'http.media_type',
    ],
    ['no media type', { body: new Blob(['{}']) }, 415, 'http.media_type'],
    [
      'another charset',
      { body: '{}', headers: { 'content-type': 'application/json; charset=latin1' } },
      415,
      'http.media_type',
    ],
    ['a malformed media type', { body: '{}', headers: { 'content-type': ';;' } }, 415, 'http.media_type'],
    ['a compressed body', { body: 'x', headers: { 'content-encoding': 'gzip' } }, 415, 'http.media_type'],
    ['a body too large', { body: `{"shelf":"${'x'.repeat(5_000)}"}` }, 413, 'http.body_too_large'],
    ['a bad deadline', { body: '{}', headers: { 'x-timeout-ms': 'soon' } }, 400, 'rpc.header_invalid'],
    ['several versions', { body: '{}', headers: { 'if-match': '"a", "b"' } }, 400, 'rpc.header_invalid'],
    ['no credentials', { body: '{"book":{"title":"x"}}', headers: { authorization: '' } }, 401, 'rpc.unauthenticated'],
    [
      'bad credentials',
      { body: '{"book":{"title":"x"}}', headers: { authorization: 'Bearer bad' } },
      401,
      'test.bad_token',
    ],
  ] as const) {
    it(`refuses ${name} with ${status} ${code}`, async () => {
      await using started = await startShelf()
      const bare = init.body instanceof Blob
      const headers: Record<string, string> = {
        ...good,
        ...(bare ? {} : json),
        ...('headers' in init ? init.headers : {}),
      }
      if (headers.authorization === '') delete headers.authorization
      const answer = await fetch(`${started.url}/v1/books`, { method: 'POST', headers, body: init.body })
      assert.equal((await problemOf(answer, status)).code, code)
      if (status === 401) assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
    })
  }

  it('tells a stranger nothing of a bug, and a caller what a fault is', async () => {
    await using started = await startShelf()
    const bug = await fetch(`${started.url}/v1/books/bug`)
    assert.doesNotMatch(JSON.stringify(await problemOf(bug, 500)), /secret/)
    const missing = await fetch(`${started.url}/v1/books/missing`)
    assert.equal((await problemOf(missing, 404)).code, 'shelf.book_unknown')
    assert.equal((await problemOf(await fetch(`${started.url}/v1/books/%ff`), 400)).code, 'http.malformed')
  })
})

describe('mountRest() keeps to HTTP', () => {
  it('gives versions as ETag, answers 304, and hands If-Match to the handler', async () => {
    await using started = await startShelf()
    const first = await fetch(`${started.url}/v1/books/7`)
    assert.equal(first.headers.get('etag'), '"v1"')
    assert.equal(first.headers.get('cache-control'), null)
    for (const tag of ['"v1"', 'W/"v1"', '"x", "v1"', '*']) {
      const same = await fetch(`${started.url}/v1/books/7`, { headers: { 'if-none-match': tag } })
      assert.equal(same.status, 304, tag)
      assert.equal(same.headers.get('etag'), '"v1"')
    }
    assert.equal((await fetch(`${started.url}/v1/books/7`, { headers: { 'if-none-match': '"v2"' } })).status, 200)
    await fetch(`${started.url}/v1/books/7`, { method: 'DELETE', headers: { ...good, 'if-match': 'W/"v9"' } })
    assert.equal((started.shelf.request as { etag: string }).etag, 'v9')
    assert.equal(started.shelf.context?.requestHeaders.get('if-match'), 'W/"v9"')
    await fetch(`${started.url}/v1/books/7?etag=own`, { method: 'DELETE', headers: { ...good, 'if-match': '"v9"' } })
    assert.equal((started.shelf.request as { etag: string }).etag, 'own')
    const init = { method: 'PATCH', headers: { ...good, ...json, 'if-match': '"v9"' }, body: '{"title":"T"}' }
    await fetch(`${started.url}/v1/books/7`, init)
    assert.equal((started.shelf.request as { book: { etag: string } }).book.etag, 'v9')
  })

  it('keeps private answers out of caches and bad headers of handlers out of answers', async () => {
    await using started = await startShelf()
    const known = await fetch(`${started.url}/v1/books/7`, { headers: good })
    assert.equal(known.headers.get('cache-control'), 'no-store')
    assert.equal(known.headers.get('x-shelf'), 'A')
    assert.equal(known.headers.get('x-bad'), null)
    assert.equal(known.headers.get('b'), null)
    assert.ok(Number(known.headers.get('content-length')) > 1)
  })

  it('compresses what is long enough with what the client takes', async () => {
    await using started = await startShelf()
    const plain = await (
      await fetch(`${started.url}/v1/books?page_size=50`, { headers: { 'accept-encoding': 'identity' } })
    ).text()
    for (const [accept, coding, unpack] of [
      ['gzip', 'gzip', gunzipSync],
      ['gzip;q=0.5, br', 'br', brotliDecompressSync],
      ['*', 'zstd', zstdDecompressSync],
    ] as const) {
      const raw = await exchange(started.port, `GET /v1/books?page_size=50 HTTP/1.1\r\nAccept-Encoding: ${accept}\r\n`)
      assert.match(raw.head, new RegExp(`content-encoding: ${coding}\\r\\n`))
      assert.match(raw.head, /vary: accept-encoding/)
      assert.equal(unpack(raw.body).toString(), plain)
    }
    const small = await exchange(started.port, 'GET /v1/books?page_size=1 HTTP/1.1\r\nAccept-Encoding: gzip\r\n')
    assert.doesNotMatch(small.head, /content-encoding/)
    const refused = await exchange(
      started.port,
      'GET /v1/books?page_size=50 HTTP/1.1\r\nAccept-Encoding: gzip;q=0, identity\r\n',
    )
    assert.doesNotMatch(refused.head, /content-encoding/)
  })

  it('hands deadline, trace and request id to the handler', async () => {
    await using started = await startShelf()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await fetch(`${started.url}/v1/books/7`, { headers: { 'x-timeout-ms': '1500', traceparent, 'x-request-id': 'r1' } })
    const { context } = started.shelf
    assert.equal(context?.transport, 'rest')
    assert.equal(context?.requestHeaders.get('traceparent'), traceparent)
    assert.equal(context?.requestHeaders.get('x-request-id'), 'r1')
    assert.ok((context?.deadlineMs ?? Infinity) - performance.now() <= 1_500)
    assert.equal(context?.peer, '127.0.0.1')
  })

  it('answers one field of a response, and every field without presence', async () => {
    await using started = await startShelf()
    assert.deepEqual(await (await fetch(`${started.url}/v1/titles`)).json(), ['Emma', 'Persuasion'])
    const book = await (await fetch(`${started.url}/v1/books/7`)).json()
    assert.deepEqual(book, { bookId: '7', title: 'Emma', authors: [], priceMinor: '999', labels: {}, etag: 'v1' })
  })
})

interface Exchange {
  readonly head: string
  readonly body: Buffer
}

/** One request with headers as they are given, since fetch adds its own. */
async function exchange(port: number, head: string): Promise<Exchange> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${head}Host: localhost\r\nConnection: close\r\n\r\n`)
  const bytes = Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>))
  const end = bytes.indexOf('\r\n\r\n')
  return { head: `${bytes.subarray(0, end).toString('latin1')}\r\n`, body: bytes.subarray(end + 4) }
}
