/**
 * A process that is made to be killed: sixteen writers store units of two rows each, and print the number of a unit
 * once it is durable.
 * @module
 */
import { writeSync } from 'node:fs'
import { migrate } from '../migrations.ts'
import { openSqliteStore } from '../sqlite-store.ts'
import { sql } from '../statement.ts'

const path = process.argv[2]
if (path === undefined) throw new TypeError('Cannot write: the first argument is the path of the database')
const store = await openSqliteStore({ path })
await migrate(store, [{ id: '0001_half', up: 'create table half (unit integer not null, side integer not null)' }])
const last = sql<Record<never, never>, { unit: number }>`select coalesce(max(unit), -1) as unit from half`
const addHalf = sql<{ unit: number; side: number }>`insert into half (unit, side) values (${'unit'}, ${'side'})`

let next = ((await store.read((tx) => tx.get(last, {})))?.unit ?? -1) + 1

async function writeOn(): Promise<never> {
  for (;;) {
    const unit = next++
    await store.write(async (tx) => {
      await tx.run(addHalf, { unit, side: 0 })
      // Lets other units and timers in between the two halves now and then, so that a kill can fall there.
      if (unit % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
      await tx.run(addHalf, { unit, side: 1 })
    })
    writeSync(1, `${unit}\n`)
  }
}

await Promise.all(Array.from({ length: 16 }, writeOn))
