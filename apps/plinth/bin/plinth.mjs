#!/usr/bin/env node
/**
 * The plinth command, as npm links it. It may be started by any Node from 18 on, so it is plain JavaScript of that age;
 * the program itself runs on the pinned Node: in this process when it is that one already, else in another.
 */
import module from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { runProgram } from '../../../tools/bootstrap/run.mjs'
import { findRuntime } from '../../../tools/bootstrap/runtime.mjs'

const app = join(dirname(fileURLToPath(import.meta.url)), '..')
const root = join(app, '..', '..')
const main = join(app, 'src', 'main.ts')
const runtime = findRuntime(root)
if (runtime.problem) fail(runtime.problem)
// Without compiled code kept between runs every command would strip and compile its sources again.
process.env.NODE_COMPILE_CACHE ||= join(root, 'node_modules', '.cache', 'compiled')
if (isThis(runtime.path)) {
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE)
  await import(pathToFileURL(main).href)
} else {
  await runProgram(process.cwd(), runtime.path, [main, ...process.argv.slice(2)], fail)
}

/** Any Node that is new enough will do; another process costs more than the difference. */
function isThis(path) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return path === process.execPath || major > 26 || (major === 26 && minor >= 10)
}

function fail(line) {
  process.stderr.write(`plinth: ${line}\n`)
  process.exit(1)
}
