/**
 * `npm test`: every check and every test that this machine can run. `npm test -- packages/rpc` runs the test files
 * whose path contains the given words, without the checks. `--engines` runs what needs a real server only: tests/engines,
 * and the test files that read the address of one.
 *
 * The last line is always `N passed, N failed, N skipped`, and the exit code is 0 only if nothing failed and at
 * least one test ran.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checks } from '../check/checks.ts'
import { discover, type TierFiles } from './discover.ts'
import { findPostgres, startPostgres, type ThrowawayPostgres } from './postgres.ts'
import { killRunning, runFile } from './run-file.ts'
import { createTally, type Tally } from './tally.ts'

const root = join(import.meta.dirname, '..', '..')
const exitInterrupted = 130

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { engines: { type: 'boolean', default: false } },
  })
  const tally = createTally((line) => console.log(line))
  await using cleanup = new AsyncDisposableStack()
  stopOnSignal(cleanup, tally)

  const all = discover(root, positionals)
  const found = values.engines ? all.map(onlyEngines).filter(({ files }) => files.length > 0) : all
  if (positionals.length === 0 && !values.engines) await runChecks(tally)
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: 'test' }
  if (found.length > 0) Object.assign(env, await offerPostgres(cleanup))
  for (const tier of found) await runTier(tier, env, tally)
  if (found.length === 0) console.log(`no test file matches ${positionals.join(' ') || 'anything'}`)
  return tally.close()
}

function onlyEngines({ tier, files }: TierFiles): TierFiles {
  const needsEngine = (file: string) => {
    return file.startsWith('tests/engines/') || readFileSync(join(root, file), 'utf8').includes('PLINTH_TEST_POSTGRES')
  }
  return { tier, files: files.filter(needsEngine) }
}

async function runChecks(tally: Tally): Promise<void> {
  console.log('\nchecks')
  for (const check of checks) {
    const startMs = performance.now()
    tally.check(check.name, await check.run(root), performance.now() - startMs)
  }
}

async function runTier({ tier, files }: TierFiles, env: NodeJS.ProcessEnv, tally: Tally): Promise<void> {
  console.log(`\n${tier.name}: ${files.length} ${files.length === 1 ? 'file' : 'files'}`)
  const queue = files.values()
  // All workers draw from one iterator, so each file is taken once.
  const work = async () => {
    for (const file of queue) tally.file(await runFile(root, file, { timeoutMs: tier.fileTimeoutMs, env }))
  }
  const workers = Math.min(tier.concurrency, Math.max(1, availableParallelism()))
  await Promise.all(Array.from({ length: workers }, work))
}

/** Starts PostgreSQL where it is installed; suites that need it read the URL, or the reason why there is none. */
async function offerPostgres(cleanup: AsyncDisposableStack): Promise<NodeJS.ProcessEnv> {
  const given = process.env.PLINTH_TEST_POSTGRES_URL
  if (given) return { PLINTH_TEST_POSTGRES_URL: given }
  const without = (reason: string) => {
    console.log(`\nwithout PostgreSQL: ${reason}`)
    return { PLINTH_TEST_POSTGRES_MISSING: reason }
  }
  const binaries = findPostgres()
  if (!binaries) return without('PostgreSQL is not installed (apt-get install postgresql)')
  let server: ThrowawayPostgres
  try {
    server = await startPostgres(binaries)
  } catch (error) {
    // An engine that is there and does not start is a broken machine, not a broken Plinth: its suites are skipped.
    return without(error instanceof Error ? error.message : String(error))
  }
  cleanup.use(server)
  console.log(`\nwith ${server.version} in a throwaway cluster`)
  return { PLINTH_TEST_POSTGRES_URL: server.url }
}

function stopOnSignal(cleanup: AsyncDisposableStack, tally: Tally): void {
  let isStopping = false
  const stop = () => {
    if (isStopping) return
    isStopping = true
    console.log('\ninterrupted')
    killRunning()
    void cleanup.disposeAsync().finally(() => {
      tally.close()
      process.exit(exitInterrupted)
    })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // Nobody reads any more, as in `npm test | head`.
  process.stdout.on('error', stop)
}

process.exitCode = await main()
