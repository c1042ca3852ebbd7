import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { type Clock, PlatformError, type Random, sleep } from '@plinth/base'

/** What waiting takes. */
export interface FileLockDeps {
  readonly clock: Clock
  readonly random: Random
}

const waitMs = 15_000
/** A lock older than this belongs to nobody: its owner holds it for one call and two file operations. */
const staleMs = 60_000

/**
 * Holds `path` while `work` runs, against every other process of this machine. A lock whose owner died is taken over.
 *
 * @throws PlatformError `plinth.credentials_busy` (conflict) when it is not free within 15 s.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>, deps: FileLockDeps): Promise<T> {
  const deadlineMs = deps.clock.monotonicMs() + waitMs
  const mine = `${process.pid} ${Buffer.from(deps.random.fill(new Uint8Array(9))).toString('base64url')}`
  while (!(await take(path, mine))) {
    await removeDead(path, mine, deps.clock.nowMs())
    if (deps.clock.monotonicMs() > deadlineMs) throw busy(path)
    await sleep(deps.clock, 10 + 30 * deps.random.next())
  }
  try {
    return await work()
  } finally {
    // Somebody who took this process for dead has a lock of their own by now.
    if ((await readOrNothing(path)) === mine) await rm(path, { force: true })
  }
}

async function take(path: string, mine: string): Promise<boolean> {
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.writeFile(mine)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function removeDead(path: string, mine: string, nowMs: number): Promise<void> {
  const text = await readOrNothing(path)
  if (text === undefined || !(await isDead(path, text, nowMs))) return
  const aside = `${path}.${mine.replace(' ', '-')}`
  try {
    await rename(path, aside)
    // Two may see the same dead lock; the slower must not take away the new lock of the faster.
    if ((await readOrNothing(aside)) === text) await rm(aside, { force: true })
    else await rename(aside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

async function isDead(path: string, text: string, nowMs: number): Promise<boolean> {
  const pid = Number.parseInt(text, 10)
  if (pid > 0 && !isAlive(pid)) return true
  try {
    return nowMs - (await stat(path)).mtimeMs > staleMs
  } catch {
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function readOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function busy(path: string): PlatformError {
  return new PlatformError(`Cannot use the credentials: another command has held ${path} for ${waitMs / 1000} s`, {
    kind: 'conflict',
    code: 'plinth.credentials_busy',
  })
}
