/**
 * The first file that runs after a clone: `npm start`, `npm test` and every other script come through here.
 *
 * It installs what package-lock.json names and is not there, then runs the wanted program on the pinned Node.
 * It may run on any Node from 18 on and before anything is installed, so it is plain JavaScript of that age and
 * imports nothing but `node:` modules.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled } from './install.mjs'
import { runProgram } from './run.mjs'
import { findRuntime } from './runtime.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** What each script needs installed ("run" leaves the development tools out) and what it runs. */
const programs = {
  start: { scope: 'run', program: ['apps/plinth/src/main.ts', 'up'] },
  plinth: { scope: 'run', program: ['apps/plinth/src/main.ts'] },
  test: { scope: 'all', program: ['tools/test/main.ts'] },
  engines: { scope: 'all', program: ['tools/test/main.ts', '--engines'] },
  check: { scope: 'all', program: ['tools/check/main.ts'] },
  tidy: { scope: 'all', program: ['tools/tidy/main.ts'] },
  contracts: { scope: 'all', program: ['tools/contracts/generate.ts'] },
  bench: { scope: 'all', program: ['tools/bench/main.ts'] },
}

async function main([name, ...rest]) {
  if (Number(process.versions.node.split('.')[0]) < 18) {
    fail(`Node ${process.version} is too old to start from. Install Node 18 or newer; Plinth brings its own Node 26.`)
  }
  const wanted = Object.hasOwn(programs, name ?? '') ? programs[name] : undefined
  if (!wanted) fail(`Cannot run "${name}": known are ${Object.keys(programs).join(', ')}`)
  await ensureInstalled(root, wanted.scope, { say, fail })
  const node = findRuntime(root)
  if (node.problem) fail(node.problem)
  const [file, ...first] = wanted.program
  if (!existsSync(join(root, file))) fail(`Cannot run ${file}: the file is missing from this working copy`)
  await runProgram(root, node.path, [file, ...first, ...rest], fail)
}

function say(line) {
  process.stderr.write(`plinth: ${line}\n`)
}

function fail(line) {
  say(line)
  process.exit(1)
}

await main(process.argv.slice(2))
