import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../contract/gen/grpc/health/v1/health_pb.ts'
import { createProbeDispatcher } from '../testing/probe-service.ts'
import type { HealthPort, ServiceHealth } from './health.ts'
import { createGrpcServer, type GrpcServerOptions } from './server.ts'

const encode = (service: string) =>
  Buffer.from(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service })))
const decode = (bytes: Buffer) => fromBinary(HealthCheckResponseSchema, bytes).status

/** A hand-made client that knows nothing of this package. */
async function serve(options: Partial<GrpcServerOptions> = {}) {
  const server = await createGrpcServer(createProbeDispatcher(), { port: 0, ...options })
  const client = new Client(server.address, credentials.createInsecure())
  return {
    server,
    check: (service: string) =>
      new Promise<ServingStatus | ServiceError>((resolve) => {
        client.makeUnaryRequest(
          '/grpc.health.v1.Health/Check',
          encode,
          decode,
          service,
          new Metadata(),
          {},
          (error, value) => resolve(error ?? (value as ServingStatus)),
        )
      }),
    watch: (service: string) =>
      client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', encode, decode, service, new Metadata(), {}),
    async [Symbol.asyncDispose]() {
      client.close()
      await server.close()
    },
  }
}

function fakeHealth() {
  const state = new Map<string, ServiceHealth>()
  const listeners = new Set<() => void>()
  const port: HealthPort = {
    status: (service) => state.get(service),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const set = (service: string, value: ServiceHealth) => {
    state.set(service, value)
    for (const listener of listeners) listener()
  }
  return { port, set, listeners }
}

describe('serveHealth()', () => {
  it('Check tells how a service is, and NOT_FOUND for a stranger', async () => {
    const health = fakeHealth()
    health.set('', 'serving')
    health.set('a.B', 'not_serving')
    await using probe = await serve({ health: health.port })
    assert.equal(await probe.check(''), ServingStatus.SERVING)
    assert.equal(await probe.check('a.B'), ServingStatus.NOT_SERVING)
    assert.equal(((await probe.check('nobody')) as ServiceError).code, status.NOT_FOUND)
  })

  it('Check without a health port serves what the dispatcher serves', async () => {
    await using probe = await serve()
    assert.equal(await probe.check('plinth.rpc.testing.v1.ProbeService'), ServingStatus.SERVING)
    assert.equal(((await probe.check('nobody')) as ServiceError).code, status.NOT_FOUND)
  })

  it('Watch sends the status now and whenever it changes, and ends when the server drains', async () => {
    const health = fakeHealth()
    await using probe = await serve({ health: health.port })
    const seen: ServingStatus[] = []
    for await (const value of probe.watch('a.B')) {
      seen.push(value as ServingStatus)
      if (seen.length === 1) health.set('a.B', 'serving')
      if (seen.length === 2) health.set('a.B', 'not_serving')
      if (seen.length === 3) {
        health.set('a.B', 'not_serving')
        health.set('a.B', 'serving')
      }
      if (seen.length === 4) void probe.server.drain()
    }
    const { SERVICE_UNKNOWN, SERVING, NOT_SERVING } = ServingStatus
    assert.deepEqual(seen, [SERVICE_UNKNOWN, SERVING, NOT_SERVING, SERVING, NOT_SERVING])
  })

  it('Watch forgets a watcher that leaves', async () => {
    const health = fakeHealth()
    await using probe = await serve({ health: health.port })
    const watching = probe.watch('')
    watching.on('error', () => {})
    await new Promise((resolve) => watching.once('data', resolve))
    assert.equal(health.listeners.size, 1)
    watching.cancel()
    while (health.listeners.size > 0) await new Promise((resolve) => setImmediate(resolve))
  })
})
