import { openMemoryBus } from './memory-bus.ts'
import { describeBus } from './testing.ts'

describeBus(
  'memory',
  async () => {
    const bus = await openMemoryBus()
    return { bus, [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose]() }
  },
  { durable: { because: 'it lives in memory and ends with the process' } },
)
