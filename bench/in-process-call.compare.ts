/**
 * A unary call that stays in the process, with everything a remote call has (copies, validation, deadline, auth,
 * limits, faults), against calling the handler directly and against bare grpc-js over loopback. The cost is the
 * CPU time of one call, one after the other; the in-process bar is 3 microseconds over the handler's own time.
 *
 * Run: `node bench/in-process-call.compare.ts [seconds for each measurement]`
 */
import { create } from '@bufbuild/protobuf'
import { createClient, createInProcessTransport } from '@plinth/rpc'
import { type Probe, ProbeSchema, ProbeService } from '@plinth/rpc/contract/plinth/rpc/testing/v1/transport_pb.js'
import { createProbeDispatcher } from '@plinth/rpc/testing'
import { bareClient, bareServer } from './harness/bare-grpc.ts'
import { median } from './harness/median.ts'

const measureMs = 1000 * Number(process.argv[2] ?? 1)
const rounds = 5
const request = { text: 'a small message', number: 7, items: [{ name: 'line', quantity: 2 }] }
const answer = create(ProbeSchema, request)

await using transport = createInProcessTransport(createProbeDispatcher({ echo: () => answer }))
const local = createClient(ProbeService, transport)
const handler = async (_request: Probe) => answer
const message = create(ProbeSchema, request)
const server = await bareServer(() => answer)
const remote = bareClient(server.port, message)

const contenders: Readonly<Record<string, () => Promise<unknown>>> = {
  'direct call': () => handler(message),
  'in process': () => local.echo(request),
  'in process, with a token': () => local.echo(request, { headers: { authorization: 'Bearer customer' } }),
  'bare grpc-js, loopback': () => remote.call(),
}
const costs = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]))
for (let round = -1; round < rounds; round++) {
  for (const [name, call] of Object.entries(contenders)) {
    const microseconds = await costOf(call, round < 0 ? measureMs / 4 : measureMs / rounds)
    if (round >= 0) costs.get(name)?.push(microseconds)
  }
}
for (const part of [remote, server]) part.close()

const directUs = median(costs.get('direct call') as number[])
const grpcUs = median(costs.get('bare grpc-js, loopback') as number[])
console.log('| call | microseconds | over the handler | of bare grpc-js |')
console.log('|---|--:|--:|--:|')
for (const [name, values] of costs) {
  const us = median(values)
  console.log(`| ${name} | ${us.toFixed(2)} | ${(us - directUs).toFixed(2)} | ${((100 * us) / grpcUs).toFixed(1)} % |`)
}
const overUs = median(costs.get('in process') as number[]) - directUs
console.log(`\nin process over the handler: ${overUs.toFixed(2)} us, bar 3 us: ${overUs <= 3 ? 'met' : 'MISSED'}`)

/** In CPU time of this thread, which a busy machine does not stretch; client and server both run on it. */
async function costOf(call: () => Promise<unknown>, forMs: number): Promise<number> {
  const before = process.threadCpuUsage()
  const endMs = performance.now() + forMs
  let calls = 0
  while (performance.now() < endMs) {
    for (let i = 0; i < 100; i++) await call()
    calls += 100
  }
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / calls
}
