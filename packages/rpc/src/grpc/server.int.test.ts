import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Client, credentials, Metadata, Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js'
import { PlatformError } from '@plinth/base'
import fc from 'fast-check'
import { ProbeService } from '../../contract/gen/plinth/rpc/testing/v1/transport_pb.ts'
import type { CallContext } from '../call.ts'
import { createClient } from '../client.ts'
import { createProbeDispatcher } from '../testing/probe-service.ts'
import { createGrpcServer } from './server.ts'
import { createGrpcTransport } from './transport.ts'

const same = (bytes: Buffer) => bytes
const echoPath = '/plinth.rpc.testing.v1.ProbeService/Echo'

function rawCall(
  client: Client,
  path: string,
  bytes: Buffer,
  metadata = new Metadata(),
): Promise<Buffer | ServiceError> {
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + 5000 }
    client.makeUnaryRequest(path, same, same, bytes, metadata, options, (error, answer) =>
      resolve(error ?? (answer as Buffer)),
    )
  })
}

describe('createGrpcServer()', () => {
  it('createGrpcServer() answers any bytes and metadata with an answer or a known status', async () => {
    await using server = await createGrpcServer(createProbeDispatcher(), { port: 0 })
    const client = new Client(server.address, credentials.createInsecure())
    const name = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,20}$/).filter((n) => !n.startsWith('grpc-') && n !== 'te')
    const entries = fc.array(fc.tuple(name, fc.stringMatching(/^[\x21-\x7e]{0,40}$/)), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), entries, async (bytes, pairs) => {
        const metadata = new Metadata()
        for (const [key, value] of pairs) {
          metadata.set(key.endsWith('-bin') ? `${key}x` : key, value)
        }
        const outcome = await rawCall(client, echoPath, Buffer.from(bytes), metadata)
        if (Buffer.isBuffer(outcome)) return
        assert.equal(outcome.code, status.INVALID_ARGUMENT, outcome.message)
      }),
      { numRuns: 300 },
    )
    client.close()
  })

  it('createGrpcServer() refuses bytes that are no message with rpc.message_malformed', async () => {
    await using server = await createGrpcServer(createProbeDispatcher(), { port: 0 })
    const client = new Client(server.address, credentials.createInsecure())
    const outcome = (await rawCall(client, echoPath, Buffer.from([0xff, 0xff, 0xff]))) as ServiceError
    assert.equal(outcome.code, status.INVALID_ARGUMENT)
    const utf8 = (await rawCall(client, echoPath, Buffer.from([0x0a, 0x01, 0xff]))) as ServiceError
    assert.equal(utf8.code, status.INVALID_ARGUMENT)
    const unknown = (await rawCall(client, '/plinth.Nobody/Home', Buffer.alloc(0))) as ServiceError
    assert.equal(unknown.code, status.UNIMPLEMENTED)
    client.close()
  })

  it('createGrpcServer() does not read messages over its own limit', async () => {
    const limits = { messageBytesMax: 10_000 }
    await using server = await createGrpcServer(createProbeDispatcher(), { port: 0, limits })
    await using transport = createGrpcTransport({ address: server.address })
    const client = createClient(ProbeService, transport)
    await assert.rejects(client.echo({ text: 'x'.repeat(20_000) }), { kind: 'exhausted' })
    assert.equal((await client.echo({ text: 'x' })).text, 'x')
  })

  it('drain() lets calls under way finish and takes no new ones', async () => {
    const started = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    const handlers = {
      echo: async () => {
        started.resolve()
        await go.promise
        return { text: 'done' }
      },
    }
    const server = await createGrpcServer(createProbeDispatcher(handlers), { port: 0 })
    await using transport = createGrpcTransport({ address: server.address, connectTimeoutMs: 1000 })
    const client = createClient(ProbeService, transport)
    const call = client.echo({})
    await started.promise
    assert.equal(server.openCalls, 1)
    const drained = server.drain()
    await assert.rejects(client.act({}, { timeoutMs: 20_000 }), { kind: 'unavailable' })
    go.resolve()
    assert.equal((await call).text, 'done')
    await drained
    assert.equal(server.openCalls, 0)
  })

  it('drain() ends endless streams with rpc.draining', async () => {
    const handlers = {
      async *count(_: unknown, { signal }: CallContext) {
        yield { value: 1 }
        await once(signal, 'abort')
        signal.throwIfAborted()
      },
    }
    const server = await createGrpcServer(createProbeDispatcher(handlers as never), { port: 0 })
    await using transport = createGrpcTransport({ address: server.address, connectTimeoutMs: 1000 })
    const stream = createClient(ProbeService, transport).count({})[Symbol.asyncIterator]()
    await stream.next()
    const next = assert.rejects(stream.next(), { code: 'rpc.draining', kind: 'unavailable', retryable: true })
    await server.drain()
    await next
  })

  it('close() twice is close() once', async () => {
    const server = await createGrpcServer(createProbeDispatcher(), { port: 0 })
    await Promise.all([server.close(), server.close()])
    await server.close()
  })

  it('createGrpcServer() names a port that is taken', async () => {
    await using server = await createGrpcServer(createProbeDispatcher(), { port: 0 })
    await assert.rejects(createGrpcServer(createProbeDispatcher(), { port: server.port }), {
      kind: 'unavailable',
      code: 'rpc.port_unavailable',
    })
  })

  const openssl = spawnSync('openssl', ['version']).status === 0
  it('createGrpcServer() speaks TLS', { skip: openssl ? false : 'openssl is not installed' }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plinth-rpc-'))
    const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1']
    spawnSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', keyFile, '-out', certificateFile])
    const tls = { key: readFileSync(keyFile, 'utf8'), certificate: readFileSync(certificateFile, 'utf8') }
    rmSync(folder, { recursive: true })
    await using server = await createGrpcServer(createProbeDispatcher(), { port: 0, tls })
    const address = `localhost:${server.port}`
    await using trusted = createGrpcTransport({ address, tls: { serverCa: tls.certificate } })
    assert.equal((await createClient(ProbeService, trusted).echo({ text: 'x' })).text, 'x')
    await using stranger = createGrpcTransport({ address, tls: {}, connectTimeoutMs: 300 })
    await assert.rejects(createClient(ProbeService, stranger).echo({}), { code: 'rpc.peer_unreachable' })
  })
})

describe('createGrpcTransport()', () => {
  it('createGrpcTransport() gives up on a peer that is not there after connectTimeoutMs', async () => {
    await using transport = createGrpcTransport({ address: '127.0.0.1:1', connectTimeoutMs: 100 })
    const client = createClient(ProbeService, transport)
    await assert.rejects(client.echo({}), { kind: 'unavailable', code: 'rpc.peer_unreachable', retryable: true })
    await assert.rejects(
      async () => {
        for await (const _ of client.count({}));
      },
      { code: 'rpc.peer_unreachable' },
    )
    // Far apart, so that a busy machine cannot make both due in one turn.
    await using patient = createGrpcTransport({ address: '127.0.0.1:1', connectTimeoutMs: 30_000 })
    await assert.rejects(createClient(ProbeService, patient).echo({}, { timeoutMs: 50 }), { kind: 'timeout' })
  })

  it('createGrpcTransport() connects again when its server comes back', async () => {
    const first = await createGrpcServer(createProbeDispatcher(), { port: 0 })
    await using transport = createGrpcTransport({ address: first.address, reconnectMsMax: 100 })
    const client = createClient(ProbeService, transport)
    assert.equal((await client.echo({ number: 1 })).number, 1)
    await first.close()
    await using _second = await createGrpcServer(createProbeDispatcher(), { port: first.port })
    assert.equal((await client.echo({ number: 2 })).number, 2)
  })

  it('createGrpcTransport() takes turns between addresses and passes over the dead', async () => {
    const names = ['a', 'b', 'c']
    const serve = (name: string) =>
      createGrpcServer(createProbeDispatcher({ echo: () => ({ text: name }) }), { port: 0 })
    const servers = await Promise.all(names.map(serve))
    await using transport = createGrpcTransport({ address: servers.map((server) => server.address) })
    const client = createClient(ProbeService, transport)
    const counts = async (calls: number) => {
      const seen = new Map<string, number>()
      for (let i = 0; i < calls; i++) {
        const { text } = await client.echo({})
        seen.set(text, (seen.get(text) ?? 0) + 1)
      }
      return seen
    }
    await Promise.all(Array.from({ length: 6 }, () => client.echo({})))
    const even = await counts(30)
    for (const name of names) assert.ok((even.get(name) ?? 0) >= 5, `${name}: ${even.get(name)}`)
    await servers[0]?.close()
    const after = await counts(10)
    assert.equal(after.get('a'), undefined)
    await Promise.all(servers.slice(1).map((server) => server.close()))
  })

  it('createGrpcTransport() bounds its calls with rpc.too_many_calls', async () => {
    const go = Promise.withResolvers<object>()
    await using server = await createGrpcServer(createProbeDispatcher({ echo: () => go.promise }), { port: 0 })
    await using transport = createGrpcTransport({ address: server.address, callsMax: 2 })
    const client = createClient(ProbeService, transport)
    const calls = [client.echo({}), client.echo({})]
    await assert.rejects(client.echo({}), { kind: 'exhausted', code: 'rpc.too_many_calls' })
    go.resolve({})
    await Promise.all(calls)
    await client.echo({})
  })

  for (const compression of ['gzip', 'deflate'] as const) {
    it(`createGrpcTransport() compresses requests with ${compression}`, async () => {
      await using server = await createGrpcServer(createProbeDispatcher(), { port: 0 })
      await using transport = createGrpcTransport({ address: server.address, compression })
      const text = 'x'.repeat(50_000)
      assert.equal((await createClient(ProbeService, transport).echo({ text })).text, text)
    })
  }

  it('createGrpcTransport() ends its calls with rpc.transport_closed and refuses new ones', async () => {
    const started = Promise.withResolvers<void>()
    const handlers = {
      echo: () => {
        started.resolve()
        return new Promise<never>(() => {})
      },
    }
    await using server = await createGrpcServer(createProbeDispatcher(handlers), { port: 0 })
    const transport = createGrpcTransport({ address: server.address })
    const client = createClient(ProbeService, transport)
    const outcome = assert.rejects(client.echo({}), { code: 'rpc.transport_closed' })
    await started.promise
    await transport[Symbol.asyncDispose]()
    await outcome
    await assert.rejects(client.echo({}), { code: 'rpc.transport_closed' })
  })

  it('createGrpcTransport() makes faults of what other servers answer', async () => {
    const answers: [number, string, string][] = [
      [status.UNKNOWN, 'internal', 'rpc.peer_failed'],
      [status.ABORTED, 'conflict', 'rpc.peer_failed'],
      [status.FAILED_PRECONDITION, 'precondition', 'rpc.peer_failed'],
      [status.OUT_OF_RANGE, 'invalid', 'rpc.peer_failed'],
      [status.DATA_LOSS, 'internal', 'rpc.peer_failed'],
      [status.ALREADY_EXISTS, 'exists', 'rpc.peer_failed'],
      [status.UNAVAILABLE, 'unavailable', 'rpc.peer_unavailable'],
      [status.UNIMPLEMENTED, 'unsupported', 'rpc.method_unknown'],
    ]
    let answer = answers[0] as (typeof answers)[number]
    const details: Buffer[] = [Buffer.from([1, 2, 3]), Buffer.alloc(0)]
    const server = new Server()
    const handler = (_call: unknown, reply: (error: object) => void) => {
      const metadata = new Metadata()
      const [bytes] = details
      if (bytes) metadata.set('grpc-status-details-bin', bytes)
      reply({ code: answer[0], details: 'as it is', metadata })
    }
    server.register(echoPath, handler as never, same, same, 'unary')
    const port = await new Promise<number>((resolve) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound))
    })
    await using transport = createGrpcTransport({ address: `127.0.0.1:${port}` })
    const client = createClient(ProbeService, transport)
    for (answer of answers) {
      const [code, kind, faultCode] = answer
      const fault = await client.echo({}).then(undefined, (error: unknown) => error)
      assert.ok(fault instanceof PlatformError)
      assert.deepEqual(
        [fault.kind, fault.code, fault.message, fault.details.grpc_status],
        [kind, faultCode, 'as it is', code],
      )
      details.shift()
    }
    server.forceShutdown()
  })
})
