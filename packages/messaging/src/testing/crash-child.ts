/**
 * What the crash test kills: publishes numbers for some keys, handles them in a group, and tells its parent of every
 * acknowledgement, until it dies. Usage: crash-child.ts FOLDER FIRST KEYS.
 */
import { writeSync } from 'node:fs'
import { openLogBus } from '../log-bus.ts'
import { newMessage, numberOf } from './bus-fixture.ts'

const [folder = '', first = '0', keys = '1'] = process.argv.slice(2)
// Small segments, so that kills hit their change too.
const bus = await openLogBus({ folder, segmentBytes: 65_536, checkpointMs: 5 })

/** Synchronously, so that what was said before the kill is in the pipe. */
function say(what: string, key: string, number: number): void {
  writeSync(1, `${what} ${key} ${number}\n`)
}

await bus.subscribe({
  topics: ['crash.test'],
  group: 'g',
  handler: async (message) => say('handled', message.key, numberOf(message)),
})
await Promise.all(
  Array.from({ length: Number(keys) }, async (_, which) => {
    const key = `key${which}`
    for (let number = Number(first); ; number++) {
      await bus.publish([newMessage({ topic: 'crash.test', key, payload: Buffer.from(String(number)) })])
      say('acknowledged', key, number)
    }
  }),
)
