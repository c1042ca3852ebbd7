/** `npm run check`: what can be said about the repository without running its tests. */
import { join } from 'node:path'
import { createTally } from '../test/tally.ts'
import { checks } from './checks.ts'

const tally = createTally((line) => console.log(line))
for (const check of checks) {
  const startMs = performance.now()
  tally.check(check.name, await check.run(join(import.meta.dirname, '..', '..')), performance.now() - startMs)
}
process.exitCode = tally.close()
