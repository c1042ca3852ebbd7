import { describeTransport } from '../testing/describe-transport.ts'
import { createGrpcServer } from './server.ts'
import { createGrpcTransport } from './transport.ts'

describeTransport('gRPC', async (dispatcher, options) => {
  const server = await createGrpcServer(dispatcher, { port: 0 })
  const transport = createGrpcTransport({ address: server.address, ...options })
  return {
    transport,
    stop: () => server.close(),
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]()
      await server.close()
    },
  }
})
