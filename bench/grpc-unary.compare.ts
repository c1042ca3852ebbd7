/**
 * Unary calls over gRPC: our server with all standard interceptors and our client, against bare grpc-js, with the same
 * message. Two questions are asked: what the server costs (both servers called by the same bare client; the bar is 0.7
 * of bare grpc-js) and what both sides cost together. All in one process, so client and server share its core, and
 * a ratio is more to be trusted than a figure.
 *
 * Run: `node bench/grpc-unary.compare.ts [seconds for each measurement]`
 */
import { create } from '@bufbuild/protobuf'
import { createClient, createGrpcServer, createGrpcTransport } from '@plinth/rpc'
import { ProbeSchema, ProbeService } from '@plinth/rpc/contract/plinth/rpc/testing/v1/transport_pb.js'
import { createProbeDispatcher } from '@plinth/rpc/testing'
import { bareClient, bareServer } from './harness/bare-grpc.ts'
import { median } from './harness/median.ts'

const measureMs = 1000 * Number(process.argv[2] ?? 1)
const rounds = 5
const concurrency = 32
const message = create(ProbeSchema, { text: 'a small message', number: 7, items: [{ name: 'line', quantity: 2 }] })
const withDeadline = () => ({ deadline: Date.now() + 5000 })

const bare = await bareServer((request) => request)
await using ours = await createGrpcServer(createProbeDispatcher({ echo: (request) => request }), { port: 0 })
await using transport = createGrpcTransport({ address: ours.address })
const ourClient = createClient(ProbeService, transport)
const toBare = bareClient(bare.port, message, withDeadline)
const toOurs = bareClient(ours.port, message, withDeadline)

const contenders = new Map<string, () => Promise<unknown>>([
  ['bare client, bare server', toBare.call],
  ['bare client, our server', toOurs.call],
  ['our client, our server', () => ourClient.echo(message, { timeoutMs: 5000 })],
])
const rates = new Map([...contenders.keys()].map((name) => [name, [] as number[]]))
for (let round = -1; round < rounds; round++) {
  for (const [name, call] of contenders) {
    const rate = await rateOf(call, round < 0 ? measureMs / 2 : measureMs)
    if (round >= 0) rates.get(name)?.push(rate)
  }
}
for (const part of [toBare, toOurs, bare]) part.close()

const base = rates.get('bare client, bare server') as number[]
console.log('| unary, 32 at a time | calls per CPU second (median) | of bare (median of rounds) | range |')
console.log('|---|--:|--:|--:|')
for (const [name, values] of rates) {
  const ratios = values.map((value, round) => value / (base[round] as number)).toSorted((a, b) => a - b)
  const range = `${(ratios[0] as number).toFixed(2)} to ${(ratios.at(-1) as number).toFixed(2)}`
  console.log(`| ${name} | ${Math.round(median(values))} | ${median(ratios).toFixed(2)} | ${range} |`)
}
const ratio = median((rates.get('bare client, our server') as number[]).map((rate, i) => rate / (base[i] as number)))
console.log(
  `\nour server with all interceptors: ${ratio.toFixed(2)} of bare grpc-js, bar 0.70: ${ratio >= 0.7 ? 'met' : 'MISSED'}`,
)

/** Calls a second of CPU time: client and server share this one thread, and a busy machine does not stretch it. */
async function rateOf(call: () => Promise<unknown>, forMs: number): Promise<number> {
  const endMs = performance.now() + forMs
  const before = process.threadCpuUsage()
  let calls = 0
  const worker = async () => {
    while (performance.now() < endMs) {
      await call()
      calls++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const { user, system } = process.threadCpuUsage(before)
  return (1e6 * calls) / (user + system)
}
