import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createIds, createSeededRandom, PlatformError } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { type CallContext, createCallContext, type MethodInterceptor, type Transport } from '@plinth/rpc'
import { createLogger, createMetrics, createTracer } from '@plinth/telemetry'
import { createMemorySink } from '@plinth/telemetry/testing'
import { traceHeaders } from '../trace-headers.ts'
import { type CallObservabilityOptions, createObservabilityInterceptors } from './observe-calls.ts'
import { observeTransport } from './observe-transport.ts'

type Method = CallContext['method']

const method = { name: 'Place', methodKind: 'unary', parent: { typeName: 'shop.v1.Orders' } } as unknown as Method
const watch = {
  name: 'Watch',
  methodKind: 'server_streaming',
  parent: { typeName: 'shop.v1.Orders' },
} as unknown as Method
const message = {} as never
const remote = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
const notFound = new PlatformError('Cannot find the order', { kind: 'not_found', code: 'orders.unknown' })
const broken = new PlatformError('Something failed inside the server', { kind: 'internal', code: 'base.internal' })

function house(options: CallObservabilityOptions = {}) {
  const clock = createFakeClock()
  const random = createSeededRandom(1)
  const sink = createMemorySink()
  const log = createLogger({ clock, sink, level: 'debug' })
  const metrics = createMetrics()
  const tracer = createTracer({ clock, random })
  const deps = { clock, log, metrics, tracer, ids: createIds({ clock, random }) }
  const [interceptor] = createObservabilityInterceptors(deps, options)
  const around = (each: Method) => interceptor?.(each, {} as never) as Required<MethodInterceptor>
  const call = (
    transport: CallContext['transport'],
    headers: readonly (readonly [string, string])[] = [],
    each = method,
  ) => createCallContext({ method: each, transport, requestHeaders: new Map(headers), clock })
  return { ...deps, sink, around, call, exposed: () => metrics.expose().body }
}

describe('observe calls', () => {
  it('createObservabilityInterceptors() puts a server span below the caller and keeps its request id', async () => {
    const { around, call, tracer, sink, exposed } = house()
    const context = call('grpc', [
      ['traceparent', remote],
      ['x-request-id', 'req-1'],
    ])
    assert.equal(await around(method).unary(async () => message)(message, context), message)
    const [span] = tracer.recent()
    assert.deepEqual(
      [span?.name, span?.kind, span?.traceId, span?.parentSpanId, span?.requestId],
      ['shop.v1.Orders/Place', 'server', 'a'.repeat(32), 'b'.repeat(16), 'req-1'],
    )
    assert.equal(context.responseHeaders.get('x-request-id'), 'req-1')
    assert.match(
      exposed(),
      /^rpc_server_requests_total\{service="shop\.v1\.Orders",method="Place",transport="grpc",code="ok"\} 1$/m,
    )
    assert.match(exposed(), /^rpc_server_request_seconds_count\{.*transport="grpc"\} 1$/m)
    assert.deepEqual(sink.records, [])
  })

  it('createObservabilityInterceptors() makes a request id where there is none that is fit', async () => {
    for (const headers of [[], [['x-request-id', 'bad\nid']]] as const) {
      const { around, call } = house()
      const context = call('rest', headers)
      await around(method).unary(async () => message)(message, context)
      assert.match(context.responseHeaders.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
    }
  })

  it('createObservabilityInterceptors() makes an in-process call the child of the span it is made in', async () => {
    const { around, call, tracer } = house()
    await tracer.span('outer', { requestId: 'req-2' }, async () => {
      await around(method).unary(async () => message)(message, call('in-process'))
    })
    const [outer, inner] = tracer.recent()
    assert.deepEqual([inner?.parentSpanId, inner?.requestId], [outer?.spanId, 'req-2'])
  })

  for (const [fault, level] of [
    [new PlatformError('Connect again', { kind: 'unavailable', code: 'rpc.draining' }), 'info'],
    [notFound, 'info'],
    [broken, 'error'],
  ] as const) {
    it(`createObservabilityInterceptors() counts and logs a fault of kind ${fault.kind} at ${level}, and throws it on`, async () => {
      const { around, call, sink, exposed } = house()
      await assert.rejects(
        around(method).unary(() => Promise.reject(fault))(message, call('grpc', [['traceparent', remote]])),
        (error) => error === fault,
      )
      assert.match(exposed(), new RegExp(`code="${fault.kind}"\\} 1$`, 'm'))
      const [line] = sink.records
      assert.deepEqual(
        [line?.level, line?.event, line?.method, line?.code, line?.trace_id, line?.error !== undefined],
        [level, 'rpc_call', 'shop.v1.Orders/Place', fault.code, 'a'.repeat(32), level === 'error'],
      )
    })
  }

  it('createObservabilityInterceptors() logs slow calls at warn, and every call with accessLog', async () => {
    const { around, call, clock, sink } = house({ slowMs: 100, accessLog: true })
    const slow = async () => {
      await clock.advance(100)
      return message
    }
    await around(method).unary(async () => message)(message, call('grpc'))
    await around(method).unary(slow)(message, call('grpc'))
    assert.deepEqual(
      sink.records.map((line) => [line.level, line.took_ms]),
      [
        ['info', 0],
        ['warn', 100],
      ],
    )
    assert.throws(() => house({ slowMs: 0 }), RangeError)
  })

  it('createObservabilityInterceptors() ends the span of a stream once: at its end, at a fault, or when its reader leaves', async () => {
    const { around, call, tracer, exposed } = house()
    async function* three() {
      yield message
      yield message
      yield message
    }
    async function* failing() {
      yield message
      throw notFound
    }
    const stream = (source: () => AsyncIterable<never>) =>
      around(watch).stream(source)(three(), call('grpc', [], watch))
    let read = 0
    for await (const _ of stream(three)) read++
    for await (const _ of stream(three)) break
    await assert.rejects(async () => {
      for await (const _ of stream(failing)) read++
    }, notFound)
    assert.equal(read, 4)
    for (const code of ['ok', 'cancelled', 'not_found'])
      assert.match(exposed(), new RegExp(`method="Watch",transport="grpc",code="${code}"\\} 1$`, 'm'))
    assert.equal(tracer.recent().length, 3)
  })
})

describe('observe transports', () => {
  function client(unary: Transport['unary']) {
    const parts = house()
    let closed = false
    const inner: Transport = {
      unary,
      async *stream(_method, _requests, options) {
        yield options.headers
      },
      async [Symbol.asyncDispose]() {
        closed = true
      },
    }
    return { ...parts, transport: observeTransport(parts, inner, { transport: 'grpc' }), isClosed: () => closed }
  }

  it('observeTransport() sends the trace and the request id along, and lets own headers win', async () => {
    const { transport, tracer, exposed, isClosed } = client(async (_method, _request, options) => options.headers)
    const headers = await tracer.span('outer', { requestId: 'req-3' }, async () =>
      transport.unary(method, {}, { headers: { authorization: 'x' } }),
    )
    const [outer, inner] = tracer.recent()
    assert.deepEqual(headers, {
      traceparent: `00-${outer?.traceId}-${inner?.spanId}-01`,
      'x-request-id': 'req-3',
      authorization: 'x',
    })
    assert.equal(inner?.kind, 'client')
    assert.match(exposed(), /^rpc_client_requests_total\{.*method="Place",transport="grpc",code="ok"\} 1$/m)
    for await (const sent of transport.stream(watch, (async function* () {})(), {})) {
      assert.match((sent as Record<string, string>).traceparent ?? '', /^00-/)
    }
    assert.match(exposed(), /method="Watch",transport="grpc",code="ok"\} 1$/m)
    await transport[Symbol.asyncDispose]()
    assert.equal(isClosed(), true)
  })

  it('observeTransport() counts faults by kind and throws them on', async () => {
    const { transport, exposed } = client(() => Promise.reject(notFound))
    await assert.rejects(transport.unary(method, {}, {}), notFound)
    assert.match(exposed(), /^rpc_client_requests_total\{.*code="not_found"\} 1$/m)
  })

  it('traceHeaders() is empty outside a trace', () => {
    assert.deepEqual(traceHeaders(house().tracer), {})
  })
})
