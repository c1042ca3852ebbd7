import type { Bus } from './bus.ts'
import { type LogBusDeps, openLogBus } from './log-bus.ts'
import type { LogBusOptions } from './log-bus-options.ts'
import { createMemoryDisk } from './memory-disk.ts'

/** As for the log, without its folder; the budget is memory here. @default bytesMax 256 MiB */
export type MemoryBusOptions = Omit<LogBusOptions, 'folder'>

/**
 * Opens a bus that keeps everything in memory and nothing beyond the process: the embedded log over a disk that is
 * not there. For tests, simulation and examples; its behaviour is the log's own.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { openMemoryBus } from '@plinth/messaging'
 *
 * await using bus = await openMemoryBus()
 * const heard = Promise.withResolvers<string>()
 * await bus.subscribe({ topics: ['greetings.word'], group: 'ear', handler: async (message) => heard.resolve(message.key) })
 * await bus.publish([
 *   {
 *     topic: 'greetings.word',
 *     key: 'hello',
 *     id: '0198c0de-0000-7000-8000-000000000001',
 *     type: 'word_said',
 *     headers: {},
 *     payload: new Uint8Array(),
 *     timeMs: 0,
 *   },
 * ])
 * assert.equal(await heard.promise, 'hello')
 * ```
 */
export function openMemoryBus(options: MemoryBusOptions = {}, deps: LogBusDeps = {}): Promise<Bus> {
  const sizes = { segmentBytes: 1 << 20, bytesMax: 256 << 20, retainBytes: 16 << 20 }
  return openLogBus({ ...sizes, ...options, folder: 'memory' }, { disk: createMemoryDisk(), ...deps })
}
