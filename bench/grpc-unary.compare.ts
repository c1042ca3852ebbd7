/**
 * Unary calls over gRPC: our server with all standard interceptors and our client, against bare grpc-js, with the same
 * message. Two questions are asked: what the server costs (both servers called by the same bare client; the bar is 0.7
 * of bare grpc-js) and what both sides cost together. All in one process, so client and server share its core, and
 * a ratio is more to be trusted than a figure.
 *
 * Run: `node bench/grpc-unary.compare.ts [seconds for each measurement]`
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { createClient, createGrpcServer, createGrpcTransport } from '@plinth/rpc'
import { type Probe, ProbeSchema, ProbeService } from '@plinth/rpc/contract/plinth/rpc/testing/v1/transport_pb.js'
import { createProbeDispatcher } from '@plinth/rpc/testing'

const measureMs = 1000 * Number(process.argv[2] ?? 1)
const rounds = 5
const concurrency = 32
const path = '/plinth.rpc.testing.v1.ProbeService/Echo'
const message = create(ProbeSchema, { text: 'a small message', number: 7, items: [{ name: 'line', quantity: 2 }] })
const encode = (value: Probe) => Buffer.from(toBinary(ProbeSchema, value))
const decode = (bytes: Buffer) => fromBinary(ProbeSchema, bytes)

const bare = await bareServer()
await using ours = await createGrpcServer(createProbeDispatcher({ echo: (request) => request }), { port: 0 })
await using transport = createGrpcTransport({ address: ours.address })
const ourClient = createClient(ProbeService, transport)
const toBare = bareClient(bare.port)
const toOurs = bareClient(ours.port)

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

async function bareServer() {
  const server = new Server()
  const echo = (call: ServerUnaryCall<Probe, Probe>, reply: sendUnaryData<Probe>) => reply(null, call.request)
  server.register(path, echo as never, encode, decode, 'unary')
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return { port, close: () => server.forceShutdown() }
}

function bareClient(port: number) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  return {
    call: () =>
      new Promise((resolve, reject) => {
        const options = { deadline: Date.now() + 5000 }
        client.makeUnaryRequest(path, encode, decode, message, new Metadata(), options, (error, value) =>
          error ? reject(error) : resolve(value),
        )
      }),
    close: () => client.close(),
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}
