import { mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { createSystemRandom, fromUnknown, PlatformError, type Secret, systemClock } from '@plinth/base'
import { openPostgresStore } from '@plinth/data'
import { adminConfig, type Configuration } from '@plinth/kernel'
import { dataConfig } from '../host/config.ts'
import { askShop, type ShopFacts } from './admin-client.ts'
import type { CommandContext } from './command-context.ts'
import { type HostOptions, loadHostConfiguration } from './load-host.ts'
import { type ListenPort, readPorts, tryListen } from './ports.ts'

/** What a check found, with what to do about it. */
export interface Finding {
  readonly name: string
  readonly outcome: 'ok' | 'warn' | 'fail'
  readonly detail: string
  readonly next?: string
}

const nodeNeeded = [26, 10] as const
const diskWarnBytes = 1024 ** 3
const diskFailBytes = 100 * 1024 ** 2
const syncWarnMs = 20
/** Tokens, orders and leases carry times: a clock before this release, or decades ahead, breaks them. */
const clockMin = Date.UTC(2026, 0, 1)
const clockMax = Date.UTC(2100, 0, 1)

/** Looks at everything a shop needs, one thing after the other. Only the data folder is written to, and cleaned up. */
export async function* runChecks(options: HostOptions, context: CommandContext): AsyncGenerator<Finding> {
  yield checkNode(process.versions.node)
  yield checkClock(systemClock.nowMs())
  let configuration: Configuration
  try {
    configuration = await loadHostConfiguration(options, context.environment)
  } catch (error) {
    const { message } = fromUnknown(error)
    yield {
      name: 'configuration',
      outcome: 'fail',
      detail: message,
      next: 'correct what is named; plinth config explain',
    }
    return
  }
  const changed = configuration.explain().filter(({ layer }) => layer !== 'default')
  yield { name: 'configuration', outcome: 'ok', detail: `valid, ${changed.length} values not as by default` }
  const data = configuration.section(dataConfig).current
  yield* checkFolder(resolve(data.dir))
  const shop = await askShop(configuration.section(adminConfig).current, context.signal)
  for (const port of readPorts(configuration)) yield await checkPort(port, shop)
  if (data.engine === 'postgres') yield await checkPostgres(data.postgresUrl)
}

/** Whether the running Node is new enough. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNew = major > nodeNeeded[0] || (major === nodeNeeded[0] && minor >= nodeNeeded[1])
  if (isNew) return { name: 'Node', outcome: 'ok', detail: version }
  const next = 'start with "npx plinth" or "npm start", which bring their own Node'
  return { name: 'Node', outcome: 'fail', detail: `${version}, needed is ${nodeNeeded.join('.')} or newer`, next }
}

/** Whether the clock shows a time that can be. */
export function checkClock(nowMs: number): Finding {
  const shown = new Date(nowMs).toISOString()
  if (nowMs >= clockMin && nowMs <= clockMax) return { name: 'clock', outcome: 'ok', detail: shown }
  return { name: 'clock', outcome: 'fail', detail: `it shows ${shown}`, next: 'set the clock of this machine' }
}

async function* checkFolder(folder: string): AsyncGenerator<Finding> {
  const isNew = await stat(folder).then(
    () => false,
    () => true,
  )
  const probe = join(folder, `.doctor-${process.pid}`)
  let made: string | undefined
  try {
    made = await mkdir(folder, { recursive: true, mode: 0o700 })
    const syncMs = await measureSync(probe)
    yield {
      name: 'data folder',
      outcome: 'ok',
      detail: `${folder} can be written${isNew ? ' (it is not there yet)' : ''}`,
    }
    yield await checkSpace(folder)
    yield checkSync(syncMs)
  } catch (error) {
    const detail = `${folder} cannot be written: ${(error as Error).message}`
    yield { name: 'data folder', outcome: 'fail', detail, next: 'take another with --data FOLDER, or mend its rights' }
  } finally {
    await rm(probe, { force: true }).catch(() => {})
    // What was not there before is not there after.
    if (made !== undefined) await rm(made, { recursive: true, force: true }).catch(() => {})
  }
}

async function checkSpace(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free`
  if (free >= diskWarnBytes) return { name: 'disk', outcome: 'ok', detail }
  return {
    name: 'disk',
    outcome: free < diskFailBytes ? 'fail' : 'warn',
    detail,
    next: `make room in ${dirname(folder)}`,
  }
}

/** The median of a few writes of 4 KiB, each made durable: what every commit waits for. */
async function measureSync(path: string): Promise<number> {
  await using file = await open(path, 'w', 0o600)
  const block = Buffer.alloc(4096, 1)
  const took: number[] = []
  for (let round = 0; round < 15; round++) {
    const startMs = systemClock.monotonicMs()
    await file.write(block, 0, block.length, round * block.length)
    await file.sync()
    took.push(systemClock.monotonicMs() - startMs)
  }
  return took.sort((a, b) => a - b)[7] ?? 0
}

function checkSync(ms: number): Finding {
  const detail = `${ms.toFixed(2)} ms to make 4 KiB durable (median of 15)`
  if (ms <= syncWarnMs) return { name: 'fsync', outcome: 'ok', detail }
  return {
    name: 'fsync',
    outcome: 'warn',
    detail,
    next: 'orders wait for this disk; take a faster one with --data FOLDER',
  }
}

async function checkPort({ name, host, port }: ListenPort, shop: ShopFacts | undefined): Promise<Finding> {
  const label = `port ${name}`
  const address = `${host}:${port}`
  if (port === 0) return { name: label, outcome: 'ok', detail: 'any free one' }
  const failure = await tryListen(host, port)
  if (failure === undefined) return { name: label, outcome: 'ok', detail: `${address} is free` }
  if (failure !== 'EADDRINUSE') {
    const next = failure === 'EACCES' ? 'ports below 1024 need rights; take a higher one' : `correct ${name}.host`
    return { name: label, outcome: 'fail', detail: `${address} cannot be taken: ${failure}`, next }
  }
  const isOurs = shop !== undefined && (name === 'admin' || shop.grpc === address || shop.http.endsWith(`:${port}`))
  if (isOurs) return { name: label, outcome: 'ok', detail: `${address} is taken by a running plinth` }
  const next = `stop what runs there, or: plinth up --${name}-port ${port + 1}`
  return { name: label, outcome: 'fail', detail: `${address} is taken by another program`, next }
}

async function checkPostgres(url: Secret | undefined): Promise<Finding> {
  const name = 'PostgreSQL'
  if (url === undefined) {
    return { name, outcome: 'fail', detail: 'no address', next: 'set PLINTH_DATA__POSTGRES_URL=postgres://…' }
  }
  try {
    const deps = { clock: systemClock, random: createSystemRandom() }
    await using _store = await openPostgresStore({ ...deps, url, schema: 'public', poolMax: 1 })
    return { name, outcome: 'ok', detail: 'reachable' }
  } catch (error) {
    const detail = PlatformError.is(error) ? error.message : fromUnknown(error).message
    return { name, outcome: 'fail', detail, next: 'start it, or correct data.postgresUrl' }
  }
}
