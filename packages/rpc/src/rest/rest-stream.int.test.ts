import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { startShelf } from './rest.fixture.ts'
import { prefersEventStream } from './stream-writer.ts'

describe('mountRest() streams', () => {
  it('writes NDJSON by default: a message a line', async () => {
    await using started = await startShelf()
    const answer = await fetch(`${started.url}/v1/books:watch?count=3`)
    assert.equal(answer.headers.get('content-type'), 'application/x-ndjson')
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const lines = (await answer.text()).trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).sequence),
      ['1', '2', '3'],
    )
    assert.equal(await started.shelf.streamEnded.promise, 'done')
  })

  it('writes server-sent events to those who ask, with ids and an end', async () => {
    await using started = await startShelf()
    const answer = await fetch(`${started.url}/v1/books:watch?count=2`, { headers: { accept: 'text/event-stream' } })
    assert.equal(answer.headers.get('content-type'), 'text/event-stream')
    const events = (await answer.text()).split('\n\n').filter((event) => event !== '')
    assert.equal(events.length, 3)
    assert.match(events[0] as string, /^id: 1\ndata: \{"sequence":"1"/)
    assert.equal(events[2], 'event: end\ndata: {}')
  })

  it('sends a fault before the first message as an answer, and after it as a frame', async () => {
    await using started = await startShelf()
    const early = await fetch(`${started.url}/v1/books:watch?fail=true`)
    assert.equal(early.status, 503)
    assert.equal(((await early.json()) as { code: string }).code, 'shelf.fell')
    const late = await fetch(`${started.url}/v1/books:watch?count=1&fail=true`)
    assert.equal(late.status, 200)
    const lines = (await late.text()).trimEnd().split('\n')
    assert.equal(JSON.parse(lines[1] as string)['@error'].code, 'shelf.fell')
    const event = await fetch(`${started.url}/v1/books:watch?count=1&fail=true`, {
      headers: { accept: 'text/event-stream' },
    })
    assert.match(await event.text(), /event: problem\ndata: \{.*"code":"shelf\.fell"/)
  })

  it('keeps an idle event stream alive with comments', async () => {
    await using started = await startShelf({ heartbeatMs: 10 })
    const gate = Promise.withResolvers<void>()
    started.shelf.gate = gate.promise
    const answer = await fetch(`${started.url}/v1/books:watch?count=1`, { headers: { accept: 'text/event-stream' } })
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    while (!text.startsWith(':\n\n:\n\n')) text += Buffer.from((await reader.read()).value ?? []).toString()
    gate.resolve()
    while (!text.includes('event: end')) text += Buffer.from((await reader.read()).value ?? []).toString()
  })

  it('ends the call when the client leaves', async () => {
    await using started = await startShelf()
    const abort = new AbortController()
    const answer = await fetch(`${started.url}/v1/books:watch?count=1000000`, { signal: abort.signal })
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    abort.abort()
    assert.equal(await started.shelf.streamEnded.promise, 'left')
  })

  it('pulls from the handler only as fast as the client reads', async () => {
    await using started = await startShelf()
    started.shelf.book.title = 'x'.repeat(100_000)
    const socket = connect(started.port, '127.0.0.1')
    socket.pause()
    socket.write('GET /v1/books:watch?count=100000 HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(socket, 'connect')
    let last = -1
    while (started.shelf.yielded === 0 || started.shelf.yielded !== last) {
      last = started.shelf.yielded
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
    }
    // Buffers of the kernel hold a few megabytes of the ten thousand.
    assert.ok(last < 1_000, `${last} messages pulled`)
    socket.destroy()
    assert.equal(await started.shelf.streamEnded.promise, 'left')
  })

  it('streams raw bytes of HttpBody as they come', async () => {
    await using started = await startShelf()
    const answer = await fetch(`${started.url}/v1/downloads/a/b/c`)
    assert.equal(answer.headers.get('content-type'), 'text/csv')
    assert.equal(await answer.text(), 'a\nb\nc\n')
  })

  it('ends streams with a retryable problem when the server drains', async () => {
    await using started = await startShelf({ heartbeatMs: 10 })
    started.shelf.gate = new Promise(() => {})
    const answer = await fetch(`${started.url}/v1/books:watch?count=2`)
    const text = answer.text()
    const report = await started.server.drain({ deadlineMs: 5_000 })
    assert.equal(report.complete, true)
    const last = (await text).trimEnd().split('\n').at(-1) as string
    assert.equal(JSON.parse(last)['@error'].code, 'rpc.draining')
    assert.equal(JSON.parse(last)['@error'].retryable, true)
  })
})

it('prefersEventStream() goes by the weights in Accept', () => {
  assert.equal(prefersEventStream(undefined), false)
  assert.equal(prefersEventStream('*/*'), false)
  assert.equal(prefersEventStream('text/event-stream'), true)
  assert.equal(prefersEventStream('application/x-ndjson, text/event-stream;q=0.5'), false)
  assert.equal(prefersEventStream('text/event-stream;q=0'), false)
})
