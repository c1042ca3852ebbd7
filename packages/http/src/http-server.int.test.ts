import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { type HttpRequestAnnouncement, requestChannel } from './announcements.ts'
import { createHttpServer, type HttpServer } from './http-server.ts'
import type { HttpMiddleware, HttpServerOptions } from './http-server-options.ts'
import { readBody } from './read-body.ts'

interface Started extends AsyncDisposable {
  readonly server: HttpServer
  readonly port: number
  readonly url: string
}

async function start(options: HttpServerOptions, routes?: (server: HttpServer) => void): Promise<Started> {
  const server = createHttpServer({ port: 0, ...options })
  server.fastify.get('/hello', async () => ({ hello: 'world' }))
  routes?.(server)
  const { port, url } = await server.listen()
  return { server, port, url, [Symbol.asyncDispose]: () => server.close() }
}

/** Sends bytes as they are and returns all that comes back until the peer closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(bytes)
  return readAll(socket)
}

async function readAll(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  await once(socket, 'close')
  return text
}

const get = 'GET /hello HTTP/1.1\r\nHost: localhost\r\n'

describe('createHttpServer() answers below and beside its routes', () => {
  it('sends the security headers and a request id with every answer, and no HSTS without TLS', async () => {
    await using started = await start({})
    const ok = await fetch(`${started.url}/hello`, { headers: { 'x-request-id': 'abc-1' } })
    assert.deepEqual(await ok.json(), { hello: 'world' })
    const missing = await fetch(`${started.url}/nowhere`)
    for (const answer of [ok, missing]) {
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
      assert.equal(answer.headers.get('cross-origin-opener-policy'), 'same-origin')
      assert.equal(answer.headers.get('cross-origin-resource-policy'), 'same-origin')
      assert.match(answer.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
      assert.equal(answer.headers.get('strict-transport-security'), null)
    }
    assert.equal(ok.headers.get('x-request-id'), 'abc-1')
    assert.match(missing.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  })

  it('answers 404 and 405 with a problem document, and 405 with Allow', async () => {
    await using started = await start({})
    const missing = await fetch(`${started.url}/nowhere`)
    assert.equal(missing.status, 404)
    assert.equal(missing.headers.get('content-type'), 'application/problem+json')
    assert.equal(((await missing.json()) as { code: string }).code, 'http.not_found')
    const wrong = await fetch(`${started.url}/hello`, { method: 'DELETE' })
    assert.equal(wrong.status, 405)
    assert.equal(wrong.headers.get('allow'), 'GET, HEAD, OPTIONS')
    const asked = await fetch(`${started.url}/hello`, { method: 'OPTIONS' })
    assert.equal(asked.status, 204)
    assert.equal(asked.headers.get('allow'), 'GET, HEAD, OPTIONS')
  })

  it('turns what a route throws into a problem document and keeps secrets of internal faults', async () => {
    await using started = await start({}, (server) => {
      server.fastify.get('/bug', async () => {
        throw new Error('password is hunter2')
      })
      server.fastify.get('/busy', async () => {
        throw new PlatformError('Try later', { kind: 'exhausted', code: 'test.busy', retryAfterMs: 1_200 })
      })
    })
    const bug = await fetch(`${started.url}/bug`)
    assert.equal(bug.status, 500)
    assert.doesNotMatch(await bug.text(), /hunter2/)
    const busy = await fetch(`${started.url}/busy`)
    assert.equal(busy.status, 429)
    assert.equal(busy.headers.get('retry-after'), '2')
  })

  for (const [name, bytes, status] of [
    ['no Host', 'GET /hello HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', `${get}Host: localhost\r\n\r\n`, 400],
    ['a malformed Host', 'GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
    ['an absolute target for another host', 'GET http://evil/hello HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['an unknown Host', 'GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n', 421],
    ['a broken percent escape', 'GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400],
    ['a bare line feed in the headers', 'GET /hello HTTP/1.1\nHost: localhost\n\n', 400],
    ['both length and chunks', `${get}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['bytes that are not HTTP', '\x16\x03\x01\x02\x00\x01\r\n\r\n', 400],
    ['headers too large', `${get}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['too many headers', `${get}${'a: b\r\n'.repeat(200)}\r\n`, 431],
    ['a URL too long', `GET /${'x'.repeat(9_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 414],
  ] as const) {
    it(`refuses ${name} with ${status} and a problem document`, async () => {
      await using started = await start({ hosts: ['localhost', '127.0.0.1'] })
      const answer = await raw(started.port, bytes)
      assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), answer.slice(0, 60))
      assert.match(answer, /content-type: application\/problem\+json/)
      assert.match(answer, /connection: close/i)
    })
  }

  it('takes an absolute target that names the same host', async () => {
    await using started = await start({})
    const answer = await raw(
      started.port,
      'GET http://localhost/hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    )
    assert.ok(answer.startsWith('HTTP/1.1 200 '))
  })

  it('refuses a body above its limit, announced or not, with 413', async () => {
    await using started = await start({ limits: { bodyBytesMax: 10 } }, (server) => {
      server.fastify.removeAllContentTypeParsers()
      server.fastify.addContentTypeParser('*', (_request, _payload, done) => done(null))
      server.fastify.post('/echo', async (_request, reply) => {
        reply.hijack()
        try {
          server.answers.send(reply.raw, 200, [], await readBody(reply.raw, 10))
        } catch (error) {
          server.answers.sendProblem(reply.raw, error as PlatformError)
        }
      })
    })
    const post = 'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: x/y\r\n'
    const announced = await raw(started.port, `${post}Content-Length: 11\r\n\r\nhello world`)
    assert.ok(announced.startsWith('HTTP/1.1 413 '))
    const chunked = await raw(started.port, `${post}Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n`)
    assert.ok(chunked.startsWith('HTTP/1.1 413 '))
    const exact = await fetch(`${started.url}/echo`, { method: 'POST', body: '0123456789' })
    assert.equal(await exact.text(), '0123456789')
  })

  it('answers CORS only to origins on the list', async () => {
    await using closed = await start({})
    const none = await fetch(`${closed.url}/hello`, { headers: { origin: 'https://shop.example' } })
    assert.equal(none.headers.get('access-control-allow-origin'), null)
    await using open = await start({ cors: { origins: ['https://shop.example'] } })
    const good = await fetch(`${open.url}/hello`, { headers: { origin: 'https://shop.example' } })
    assert.equal(good.headers.get('access-control-allow-origin'), 'https://shop.example')
    assert.match(good.headers.get('vary') ?? '', /origin/)
    const bad = await fetch(`${open.url}/hello`, { headers: { origin: 'https://evil.example' } })
    assert.equal(bad.headers.get('access-control-allow-origin'), null)
    const preflight = await fetch(`${open.url}/hello`, {
      method: 'OPTIONS',
      headers: { origin: 'https://shop.example', 'access-control-request-method': 'PATCH' },
    })
    assert.equal(preflight.status, 204)
    assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /PATCH/)
  })
})

describe('createHttpServer() bounds time and connections', () => {
  it('answers 408 to headers that trickle in (slowloris) and to a body that never ends', async () => {
    await using started = await start({ timeouts: { headersTimeoutMs: 100, requestTimeoutMs: 200 } })
    assert.match(await raw(started.port, `${get}X-Slow: `), /^HTTP\/1.1 408 [\s\S]*http\.request_timeout/)
    const body = await raw(
      started.port,
      'POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nContent-Type: application/json\r\n\r\n1',
    )
    assert.ok(body === '' || /^HTTP\/1.1 40[58] /.test(body), body.slice(0, 40))
  })

  it('closes an idle connection after the keep-alive time', async () => {
    await using started = await start({ timeouts: { keepAliveTimeoutMs: 50 } })
    assert.match(await raw(started.port, `${get}\r\n`), /^HTTP\/1.1 200 /)
  })

  it('answers 503 to one connection too many and serves the others', async () => {
    await using started = await start({ limits: { connectionsMax: 2 } })
    const kept = [connect(started.port, '127.0.0.1'), connect(started.port, '127.0.0.1')]
    await Promise.all(kept.map((socket) => once(socket, 'connect')))
    const refused = await readAll(connect(started.port, '127.0.0.1'))
    assert.match(refused, /^HTTP\/1.1 503 [\s\S]*retry-after: 1[\s\S]*http\.connections_exhausted/)
    const first = kept[0] as Socket
    first.write(`${get}Connection: close\r\n\r\n`)
    assert.match(await readAll(first), /^HTTP\/1.1 200 /)
    kept[1]?.destroy()
  })

  it('refuses options out of bounds, all at once', () => {
    assert.throws(
      () => createHttpServer({ port: -1, limits: { headersMax: 0 }, cors: { origins: [] } }),
      /port is.*limits\.headersMax is.*cors\.origins/s,
    )
  })
})

describe('HttpServer drain()', () => {
  it('closes idle connections at once, finishes requests under way with Connection: close, and refuses new ones', async () => {
    const begun = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    await using started = await start({}, (server) => {
      server.fastify.get('/slow', async () => {
        begun.resolve()
        await gate.promise
        return { done: true }
      })
    })
    const idle = connect(started.port, '127.0.0.1')
    idle.write(`${get}\r\n`)
    await once(idle, 'data')
    const idleClosed = once(idle, 'close')
    const slow = raw(started.port, 'GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await begun.promise
    const drained = started.server.drain()
    assert.equal(started.server.draining.aborted, true)
    await idleClosed
    const late = connect(started.port, '127.0.0.1')
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ECONNREFUSED')
    gate.resolve()
    assert.match(await slow, /^HTTP\/1.1 200 [\s\S]*connection: close[\s\S]*"done":true/i)
    const report = await drained
    assert.deepEqual([report.complete, report.cut], [true, 0])
  })

  it('lets a request half read arrive', async () => {
    await using started = await start({})
    const accepted = once(started.server.fastify.server, 'connection') as Promise<[Socket]>
    const socket = connect(started.port, '127.0.0.1')
    socket.write(get)
    const [served] = await accepted
    while (served.bytesRead < get.length) await new Promise(setImmediate)
    const drained = started.server.drain()
    socket.write('\r\n')
    assert.match(await readAll(socket), /^HTTP\/1.1 200 /)
    assert.equal((await drained).complete, true)
  })

  it('cuts what is left at the deadline and says how much', async () => {
    const begun = Promise.withResolvers<void>()
    await using started = await start({}, (server) => {
      server.fastify.get('/stuck', () => {
        begun.resolve()
        return new Promise(() => {})
      })
    })
    const stuck = raw(started.port, 'GET /stuck HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await begun.promise
    const report = await started.server.drain({ deadlineMs: 20 })
    assert.deepEqual([report.complete, report.cut], [false, 1])
    assert.equal(await stuck, '')
  })

  it('close() does not wait for keep-alive connections', async () => {
    const started = await start({})
    const socket = connect(started.port, '127.0.0.1')
    socket.write(`${get}\r\n`)
    await once(socket, 'data')
    const closed = once(socket, 'close')
    await started.server.close()
    await closed
    assert.equal(started.server.connections, 0)
  })
})

it('plinth:http:request announces method, route, status and time of each request', async () => {
  await using started = await start({})
  const heard = Promise.withResolvers<HttpRequestAnnouncement>()
  const listener = (message: unknown) => heard.resolve(message as HttpRequestAnnouncement)
  requestChannel.subscribe(listener)
  await (await fetch(`${started.url}/hello?token=secret`)).text()
  const announced = await heard.promise
  requestChannel.unsubscribe(listener)
  assert.equal(announced.route, '/hello')
  assert.equal(announced.path, '/hello')
  assert.equal(announced.status, 200)
  assert.ok(announced.durationMs >= 0)
})

it('middleware stands around routing in its order, and a link may answer itself', async () => {
  const seen: string[] = []
  const note =
    (name: string): HttpMiddleware =>
    (next) =>
    (request, response) => {
      seen.push(name)
      next(request, response)
    }
  const closedShop: HttpMiddleware = (next) => (request, response) => {
    if (request.url === '/hello') next(request, response)
    else response.writeHead(418, { 'content-length': 0 }).end()
  }
  await using started = await start({ middleware: [note('outer'), closedShop, note('inner')] })
  assert.equal((await fetch(`${started.url}/hello`)).status, 200)
  assert.equal((await fetch(`${started.url}/other`)).status, 418)
  assert.deepEqual(seen, ['outer', 'inner', 'outer'])
})
