/** The peer of the RPC benches: grpc-js as its own guide uses it, one unary method, nothing around it. */
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { type Probe, ProbeSchema } from '@plinth/rpc/contract/plinth/rpc/testing/v1/transport_pb.js'

const path = '/plinth.rpc.testing.v1.ProbeService/Echo'
const encode = (value: Probe) => Buffer.from(toBinary(ProbeSchema, value))
const decode = (bytes: Buffer) => fromBinary(ProbeSchema, bytes)

/** Serves the method on a free port of the loopback. */
export async function bareServer(answer: (request: Probe) => Probe) {
  const server = new Server()
  const handle = (call: ServerUnaryCall<Probe, Probe>, reply: sendUnaryData<Probe>) => reply(null, answer(call.request))
  server.register(path, handle as never, encode, decode, 'unary')
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return { port, close: () => server.forceShutdown() }
}

/** Calls the method with the same message each time. */
export function bareClient(
  port: number,
  message: Probe,
  callOptions: () => { readonly deadline?: number } = () => ({}),
) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  return {
    call: () =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, encode, decode, message, new Metadata(), callOptions(), (error, value) =>
          error ? reject(error) : resolve(value),
        )
      }),
    close: () => client.close(),
  }
}
