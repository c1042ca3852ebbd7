import { createMemoryKeyStore } from './key-store.ts'
import { describeKeyStore } from './testing.ts'

describeKeyStore('memory', async () => {
  const store = createMemoryKeyStore()
  return { open: () => store, async [Symbol.asyncDispose]() {} }
})
