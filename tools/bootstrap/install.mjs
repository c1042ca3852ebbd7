/**
 * Installs what package-lock.json names, if it is not there.
 *
 * What is there is read from node_modules/.package-lock.json, which npm writes as its last step: an install that
 * was interrupted does not count, and one made by hand does.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { findRuntime } from './runtime.mjs'

const waitMs = 500
const waitsMax = 1800

/**
 * @param {string} root
 * @param {'run' | 'all'} scope
 * @param {{ say: (line: string) => void, fail: (line: string) => never }} out
 */
export async function ensureInstalled(root, scope, out) {
  if (whatIsMissing(root, scope) === undefined) return
  const lock = join(root, '.install.lock')
  const owner = await takeLock(lock, out)
  try {
    // Another start may have installed it while this one waited.
    const missing = whatIsMissing(root, scope)
    if (missing === undefined) return
    out.say(`${missing}; installing ${scope === 'run' ? 'what Plinth needs to run' : 'everything, tools included'} …`)
    const startMs = Date.now()
    const code = await runNpm(root, scope, owner)
    const problem = code === 0 ? whatIsMissing(root, scope) : `npm ended with code ${code}`
    if (problem !== undefined) {
      rmSync(lock, { force: true })
      out.fail(
        `Cannot install: ${problem}.\n` +
          '  If the registry cannot be reached, check the network and the proxy settings of npm\n' +
          '  ("npm config get registry", "npm ping"), then run the same command again.\n' +
          '  With a filled npm cache "npm ci --ignore-scripts --offline" works without a network.',
      )
    }
    out.say(`installed in ${Math.round((Date.now() - startMs) / 1000)} s`)
  } finally {
    closeSync(owner)
    rmSync(lock, { force: true })
  }
}

/** One sentence about the first thing that is missing, or undefined when all is there. */
function whatIsMissing(root, scope) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  if (!wanted) return 'package-lock.json cannot be read'
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (!present) return 'nothing is installed yet'
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue
    const found = present[path]
    if (!found) {
      const isSpare = entry.optional || entry.peer || (scope === 'run' && (entry.dev || entry.devOptional))
      if (!isSpare) return `${path.slice(path.lastIndexOf('node_modules/') + 13)} is missing`
    } else if (found.version !== entry.version || found.integrity !== entry.integrity) {
      return `${path.slice(path.lastIndexOf('node_modules/') + 13)} is out of date`
    }
  }
  return findRuntime(root).problem
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    // Missing or cut short: either way it is no proof of an install.
    return undefined
  }
}

function runNpm(root, scope, owner) {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--include=optional', '--loglevel=error']
  args.push(scope === 'run' ? '--omit=dev' : '--include=dev')
  const script = process.env.npm_execpath
  const viaNode = script !== undefined && /npm-cli\.[cm]?js$/.test(script)
  const command = viaNode ? process.execPath : 'npm'
  const child = spawn(command, viaNode ? [script, ...args] : args, {
    cwd: root,
    // Output of npm goes to stderr: stdout belongs to the program that comes after.
    stdio: ['ignore', 2, 2],
    shell: !viaNode && process.platform === 'win32',
  })
  if (child.pid !== undefined) writeSync(owner, `${child.pid}\n`)
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(`${error.message} (is npm installed?)`))
    child.on('exit', (code, signal) => resolve(code ?? signal))
  })
}

/** Takes the lock file; one left by dead processes is removed. It names the processes that hold it, one a line. */
async function takeLock(path, out) {
  for (let tries = 0; tries < waitsMax; tries++) {
    try {
      const owner = openSync(path, 'wx')
      writeSync(owner, `${process.pid}\n`)
      return owner
    } catch (error) {
      if (error.code !== 'EEXIST') return out.fail(`Cannot write ${path}: ${error.message}`)
    }
    const held = readHolders(path)
    if (held !== undefined && held.text !== '' && !held.pids.some(isAlive)) {
      removeStale(path, held.text)
      continue
    }
    if (tries === 0) out.say('another process is installing; waiting for it …')
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
  return out.fail(`Another install holds ${path} for too long: remove the file if no npm is running`)
}

function readHolders(path) {
  try {
    const text = readFileSync(path, 'utf8')
    return { text, pids: text.split('\n').filter(Boolean).map(Number) }
  } catch {
    // Released meanwhile; the next try will take it.
    return undefined
  }
}

function removeStale(path, text) {
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
    // Two waiters may see the same dead lock; the slower one must not take away the faster one's new lock.
    if (readFileSync(aside, 'utf8') === text) rmSync(aside)
    else renameSync(aside, path)
  } catch {
    // The other waiter removed it first.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
