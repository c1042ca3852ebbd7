import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLogBus } from './log-bus.ts'
import { type BusFixture, describeBus } from './testing.ts'

async function open(): Promise<BusFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-bus-'))
  const first = await openLogBus({ folder })
  let bus = first
  return {
    bus: first,
    async restart() {
      await bus[Symbol.asyncDispose]()
      bus = await openLogBus({ folder })
      return bus
    },
    async [Symbol.asyncDispose]() {
      await bus[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

describeBus('embedded log', open, { durable: true })
