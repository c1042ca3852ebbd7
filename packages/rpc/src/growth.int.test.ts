import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openScope } from '@plinth/concurrency'
import { ProbeService } from '../contract/gen/plinth/rpc/testing/v1/transport_pb.ts'
import type { Client, Transport } from './call.ts'
import { createClient } from './client.ts'
import { createGrpcServer } from './grpc/server.ts'
import { createGrpcTransport } from './grpc/transport.ts'
import { createInProcessTransport } from './in-process-transport.ts'
import { createProbeDispatcher } from './testing/probe-service.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const callsOverGrpc = 5_000

async function heapAfter(calls: number, call: () => Promise<unknown>): Promise<number> {
  for (let done = 0; done < calls; done += 50) await Promise.all(Array.from({ length: 50 }, call))
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage().heapUsed
}

/** One call of every sort: answered, refused, timed out, cancelled, streamed and left early. */
async function mixed(client: Client<typeof ProbeService>, signal: AbortSignal): Promise<void> {
  const quiet = (work: Promise<unknown>) => work.then(undefined, () => {})
  await client.echo({ text: 'x', number: 3 }, { signal })
  await quiet(client.echo({ number: -1 }, { signal }))
  await quiet(client.signedIn({}, { signal }))
  await quiet(client.echo({}, { timeoutMs: 0 }))
  for await (const { number } of client.count({ number: 3 }, { signal })) if (number === 1) break
}

async function grows(transport: Transport, plain: number, sorts: number): Promise<number> {
  const client = createClient(ProbeService, transport)
  // One signal for all calls, as a scope around a long loop gives: a listener left behind would pile up on it.
  using scope = openScope()
  const echo = () => client.echo({ text: 'x', number: 3 }, { signal: scope.signal, timeoutMs: 20_000 })
  const every = () => mixed(client, scope.signal)
  await heapAfter(plain / 10, echo)
  const before = await heapAfter(sorts, every)
  await heapAfter(plain, echo)
  const after = await heapAfter(sorts, every)
  return (after - before) / 1024
}

describe('calls in great numbers', () => {
  it('createInProcessTransport() keeps nothing of 100,000 calls', async () => {
    await using transport = createInProcessTransport(createProbeDispatcher())
    const grownKiB = await grows(transport, 100_000, 500)
    assert.ok(grownKiB < 1000, `${grownKiB} KiB more`)
  })

  it('createGrpcTransport() and createGrpcServer() keep nothing of 5,000 calls', async () => {
    await using server = await createGrpcServer(createProbeDispatcher(), { port: 0 })
    await using transport = createGrpcTransport({ address: server.address })
    const grownKiB = await grows(transport, callsOverGrpc, 200)
    assert.ok(grownKiB < 1000, `${grownKiB} KiB more`)
    assert.equal(server.openCalls, 0)
  })
})
