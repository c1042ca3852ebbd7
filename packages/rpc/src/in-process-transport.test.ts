import { createInProcessTransport } from './in-process-transport.ts'
import { describeTransport } from './testing/describe-transport.ts'

describeTransport('in process', async (dispatcher, options) => {
  const transport = createInProcessTransport(dispatcher, options)
  const stop = () => Promise.resolve(transport[Symbol.asyncDispose]())
  return { transport, stop, [Symbol.asyncDispose]: stop }
})
