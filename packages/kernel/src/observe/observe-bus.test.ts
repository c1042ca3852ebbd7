import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { describe, it } from 'node:test'
import { createSeededRandom, PlatformError } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import type { Bus, Message, NewMessage, SubscribeOptions } from '@plinth/messaging'
import { createLogger, createMetrics, createTracer } from '@plinth/telemetry'
import { createMemorySink } from '@plinth/telemetry/testing'
import { createGrpcHealth } from '../health/grpc-health.ts'
import { createHealthController } from '../health/health-registry.ts'
import { observeAnnouncements } from './observe-announcements.ts'
import { observeBus } from './observe-bus.ts'

const placed: NewMessage = {
  topic: 'orders.order',
  key: 'k',
  id: 'i',
  type: 'order_placed',
  headers: {},
  payload: new Uint8Array(),
  timeMs: 0,
}

function house() {
  const clock = createFakeClock()
  const sink = createMemorySink()
  const metrics = createMetrics()
  const log = createLogger({ clock, sink, level: 'debug' })
  const tracer = createTracer({ clock, random: createSeededRandom(1) })
  return { clock, sink, log, metrics, tracer, exposed: () => metrics.expose().body }
}

/** Keeps what reaches the bus; its handlers are called by the test. */
function recordingBus() {
  const published: NewMessage[] = []
  const handlers: SubscribeOptions['handler'][] = []
  const bus: Bus = {
    admin: {} as Bus['admin'],
    async publish(messages) {
      published.push(...messages)
    },
    async subscribe({ handler }) {
      handlers.push(handler)
      return { async close() {}, async [Symbol.asyncDispose]() {} }
    },
    async [Symbol.asyncDispose]() {},
  }
  const deliver = (headers: Message['headers']) =>
    handlers[0]?.({ ...placed, headers, offset: 0n }, { attempt: 2, signal: new AbortController().signal })
  return { bus, published, deliver }
}

describe('observe bus', () => {
  it('observeBus() carries the trace from publisher to handler', async () => {
    const { tracer, ...rest } = house()
    const { bus, published, deliver } = recordingBus()
    const observed = observeBus({ tracer, ...rest }, bus)
    await tracer.span('place', { requestId: 'req' }, () =>
      observed.publish([placed, { ...placed, headers: { traceparent: 'own' } }]),
    )
    await observed.publish([placed])
    assert.equal(published[1]?.headers.traceparent, 'own')
    assert.deepEqual(published[2]?.headers, {})
    await observed.subscribe({ topics: ['orders.order'], group: 'g', handler: async () => {} })
    await deliver(published[0]?.headers ?? {})
    const [handled, place] = tracer.recent()
    assert.deepEqual(
      [handled?.name, handled?.kind, handled?.parentSpanId, handled?.requestId],
      ['orders.order order_placed', 'consumer', place?.spanId, 'req'],
    )
    assert.match(rest.exposed(), /^messaging_published_total\{topic="orders\.order"\} 3$/m)
    assert.match(rest.exposed(), /^messaging_handled_total\{group="g",topic="orders\.order",outcome="ok"\} 1$/m)
  })

  it('observeBus() logs and counts a failed delivery, and lets the bus have it', async () => {
    const { sink, exposed, ...deps } = house()
    const { bus, deliver } = recordingBus()
    const fault = new PlatformError('Cannot reach the provider', { kind: 'unavailable', code: 'payments.down' })
    await observeBus(deps, bus).subscribe({
      topics: ['orders.order'],
      group: 'g',
      handler: () => Promise.reject(fault),
    })
    await assert.rejects(async () => deliver({}), fault)
    const [line] = sink.records
    assert.deepEqual(
      [line?.event, line?.code, line?.attempt, line?.message_id],
      ['message_failed', 'payments.down', 2, 'i'],
    )
    assert.match(exposed(), /outcome="unavailable"\} 1$/m)
  })
})

describe('observe announcements', () => {
  it('observeAnnouncements() turns announcements into metrics and lines until it is disposed', () => {
    const { sink, exposed, log, metrics } = house()
    const observing = observeAnnouncements({ log, metrics })
    const fault = new PlatformError('x', { kind: 'internal', code: 'messaging.x' })
    const announcements: readonly (readonly [string, object])[] = [
      ['plinth:data:commit', { store: 's', units: 3, durationMs: 2, commitMs: 1, queued: 4 }],
      ['plinth:data:commit', { store: 's', units: 1, durationMs: 2, commitMs: 1, queued: 0, failed: 'base.disk_full' }],
      ['plinth:data:pool', { store: 's', event: 'acquired', total: 2, idle: 1, waiting: 0, waitedMs: 5 }],
      ['plinth:data:pool', { store: 's', event: 'exhausted', total: 2, idle: 0, waiting: 9, waitedMs: 0 }],
      ['plinth:messaging:outbox', { name: 'o', published: 7, lagMs: 1500, failures: 0 }],
      ['plinth:messaging:outbox', { name: 'o', published: 0, lagMs: 0, failures: 1, fault }],
      ['plinth:messaging:dead_letter', { group: 'g', topic: 't', id: 'l', messageId: 'm', attempts: 10, failure: 'f' }],
      ['plinth:messaging:fault', { doing: 'saving', fault }],
      ['plinth:messaging:gap', { group: 'g', topic: 't', from: 1, to: 2 }],
      ['plinth:messaging:repaired', { path: 'p', at: 1, bytes: 2 }],
      [
        'plinth:http:request',
        {
          requestId: 'r',
          method: 'GET',
          path: '/x',
          route: '/x',
          status: 200,
          durationMs: 3,
          peer: 'p',
          userAgent: 'u',
        },
      ],
      ['plinth:http:refused', { code: 'http.timeout', status: 408, peer: 'p' }],
      ['plinth:rpc:unexpected_error', { method: 'a/b', error: new Error('bang') }],
      ['plinth:security:key_ring_failed', { error: new Error('bang') }],
      ['plinth:security:key_rotated', { kid: 'k', discardOld: false }],
      ['plinth:security:jwks_failed', { error: new Error('bang') }],
    ]
    for (const [name, announcement] of announcements) channel(name).publish(announcement)
    const body = exposed()
    for (const line of [
      'data_commits_total{store="s",outcome="ok"} 1',
      'data_commits_total{store="s",outcome="base.disk_full"} 1',
      'data_units_total{store="s"} 4',
      'data_pool_connections{store="s",state="waiting"} 9',
      'data_pool_wait_seconds_count{store="s"} 1',
      'outbox_published_total{outbox="o"} 7',
      'messaging_dead_letters_total{group="g",topic="t"} 1',
      'messaging_faults_total{doing="saving"} 1',
      'http_requests_total{method="GET",route="/x",status="200"} 1',
      'http_refused_total{code="http.timeout"} 1',
    ]) {
      assert.ok(body.includes(`${line}\n`), line)
    }
    assert.deepEqual(
      sink.records.map((record) => [record.level, record.event]),
      [
        ['error', 'commit_failed'],
        ['warn', 'pool_event'],
        ['warn', 'outbox_failed'],
        ['warn', 'dead_letter'],
        ['error', 'bus_fault'],
        ['warn', 'messages_missed'],
        ['warn', 'log_repaired'],
        ['debug', 'http_refused'],
        ['error', 'unexpected_error'],
        ['error', 'key_ring_failed'],
        ['info', 'key_rotated'],
        ['warn', 'jwks_failed'],
      ],
    )
    observing[Symbol.dispose]()
    assert.ok(announcements.every(([name]) => !channel(name).hasSubscribers))
  })
})

describe('gRPC health', () => {
  it('createGrpcHealth() says serving while the application is ready, and tells of changes', async () => {
    const clock = createFakeClock()
    const registry = createHealthController({ clock })
    const health = createGrpcHealth(registry, ['shop.v1.Orders'])
    let changes = 0
    const leave = health.subscribe(() => changes++)
    await clock.advance(0)
    assert.equal(health.status(''), 'not_serving')
    registry.setPhase('ready')
    await clock.advance(0)
    assert.deepEqual(
      [health.status(''), health.status('shop.v1.Orders'), health.status('other')],
      ['serving', 'serving', undefined],
    )
    const before = changes
    leave()
    registry.setPhase('draining')
    await clock.advance(0)
    assert.equal(changes, before)
    assert.equal(health.status(''), 'not_serving')
    health[Symbol.dispose]()
    await clock.advance(2000)
    assert.equal(clock.pendingTimers, 0)
  })
})
