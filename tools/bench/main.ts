/**
 * `npm run bench`: runs the comparisons in bench/ one after the other, each alone in its process. Words choose by
 * name: `npm run bench -- orders`.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const words = process.argv.slice(2)
const all = readdirSync(join(root, 'bench')).filter((name) => /\.(compare|bench)\.ts$/.test(name))
const chosen = all.filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
if (chosen.length === 0) {
  console.error(`No bench matches "${words.join(' ')}". There are: ${all.join(', ') || 'none'}`)
  process.exitCode = 2
}
for (const name of chosen) {
  console.log(`\n== ${name}`)
  const run = spawnSync(process.execPath, ['--expose-gc', join('bench', name)], { cwd: root, stdio: 'inherit' })
  if (run.status !== 0) {
    console.error(`${name} failed with ${run.signal ?? `code ${run.status}`}`)
    process.exitCode = 1
  }
}
