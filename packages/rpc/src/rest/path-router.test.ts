import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import fc from 'fast-check'
import { createPathRouter, decodeSegments } from './path-router.ts'
import { parsePathTemplate } from './path-template.ts'

function router(...routes: string[]) {
  return createPathRouter(
    routes.map((route) => {
      const [method = '', path = ''] = route.split(' ')
      return { method, path, target: path }
    }),
  )
}

describe('parsePathTemplate()', () => {
  it('takes variables, globs and verbs apart', () => {
    const template = parsePathTemplate('/v1/{name=shelves/*/books/**}:lend')
    assert.equal(template.verb, 'lend')
    assert.equal(template.segments.length, 5)
    assert.deepEqual(template.variables, [{ field: 'name', from: 1, to: Infinity, multi: true }])
    assert.deepEqual(parsePathTemplate('/a/{b.c}/{d=*}').variables, [
      { field: 'b.c', from: 1, to: 2, multi: false },
      { field: 'd', from: 2, to: 3, multi: false },
    ])
  })

  for (const [text, why] of [
    ['v1', 'begin with a slash'],
    ['/', 'is no literal'],
    ['/a//b', 'is no literal'],
    ['/{a', 'field path'],
    ['/{a=*', 'not closed'],
    ['/{a={b}}', 'inside a variable'],
    ['/{1a}', 'field path'],
    ['/**/a', 'not the last'],
    ['/{a=**}/b', 'not the last'],
    ['/{a}/{a}', 'occurs twice'],
    ['/a:', 'is no verb'],
    ['/a?b', 'is no literal'],
    ['/a}b', 'unexpected "}"'],
  ] as const) {
    it(`refuses ${text}`, () => {
      assert.throws(
        () => parsePathTemplate(text),
        (error) => error instanceof TypeError && error.message.includes(why),
      )
    })
  }

  it('throws nothing but TypeError on any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('/', '{', '}', '*', ':', '=', '.', 'a', 'b', '%', '?') }),
        (text) => {
          try {
            parsePathTemplate(`/${text}`)
          } catch (error) {
            assert.ok(error instanceof TypeError)
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('createPathRouter()', () => {
  const routes = router(
    'GET /v1/books',
    'GET /v1/books/{id}',
    'GET /v1/books/new',
    'POST /v1/books/{id}:lend',
    'GET /v1/books:watch',
    'GET /v1/{name=shelves/*/books/*}',
    'GET /v1/files/{path=**}',
    'GET /v1/files/{path=**}:meta',
    'GET /v1/books/{id}/pages/{page}',
    'GET /v1/books/new/pages/first',
    '* /v1/any',
    'PUT /v1/any',
  )
  for (const [asked, found] of [
    ['GET /v1/books', '/v1/books'],
    ['GET /v1/books/7', '/v1/books/{id}'],
    ['HEAD /v1/books/7', '/v1/books/{id}'],
    ['GET /v1/books/new', '/v1/books/new'],
    ['GET /v1/books/%6eew', '/v1/books/new'],
    ['POST /v1/books/7:lend', '/v1/books/{id}:lend'],
    ['POST /v1/books/a:b:lend', '/v1/books/{id}:lend'],
    ['GET /v1/books/7:other', '/v1/books/{id}'],
    ['POST /v1/books/7%3Alend', undefined],
    ['GET /v1/books:watch', '/v1/books:watch'],
    ['GET /v1/shelves/1/books/2', '/v1/{name=shelves/*/books/*}'],
    ['GET /v1/files/a/b/c', '/v1/files/{path=**}'],
    ['GET /v1/files', '/v1/files/{path=**}'],
    ['GET /v1/files/', '/v1/files/{path=**}'],
    ['GET /v1/files/a/b:meta', '/v1/files/{path=**}:meta'],
    ['GET /v1/books/new/pages/2', '/v1/books/{id}/pages/{page}'],
    ['GET /v1/books/', undefined],
    ['GET /v1//books', undefined],
    ['GET /v1/books/1/', undefined],
    ['DELETE /v1/books/7', undefined],
    ['PATCH /v1/any', '/v1/any'],
    ['GET /', undefined],
  ] as const) {
    it(`sends ${asked} to ${found ?? 'nobody'}`, () => {
      const [method = '', path = ''] = asked.split(' ')
      assert.equal(routes.find(method, path)?.route.target, found)
    })
  }

  it('prefers the method that fits to the literal that does not', () => {
    const mixed = router('POST /v1/books/special', 'GET /v1/books/{id}')
    assert.equal(mixed.find('GET', '/v1/books/special')?.route.target, '/v1/books/{id}')
    assert.deepEqual(mixed.allowed('/v1/books/special'), ['GET', 'HEAD', 'POST'])
    assert.deepEqual(mixed.allowed('/v1/other'), [])
  })

  it('refuses two routes that take the same paths, whatever their variables are called', () => {
    assert.throws(() => router('GET /v1/{a}', 'GET /v1/{b=*}'), /GET \/v1\/\{a\} and GET \/v1\/\{b=\*\}/)
    router('GET /v1/{a}', 'POST /v1/{b}', 'GET /v1/{a}:x', 'GET /v1/{c=**}')
  })

  it('answers broken escapes with kind invalid and nothing else, on any path', () => {
    assert.throws(() => routes.find('GET', '/v1/%ff'), { code: 'rpc.invalid_path' })
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('/', '%', ':', 'v', '1', 'f') }), fc.string(), (path, tail) => {
        try {
          routes.find('GET', `/${path}${tail}`)
          routes.allowed(`/${path}${tail}`)
        } catch (error) {
          assert.ok(PlatformError.is(error))
        }
      }),
    )
  })

  it('decodes all escapes of one segment, and all but slashes of several', () => {
    assert.equal(decodeSegments(['a%2Fb', 'c%20d', '%2f%41']), 'a%2Fb/c d/%2fA')
  })
})
