import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** A PostgreSQL server of its own, that nothing else uses. */
export interface ThrowawayPostgres extends AsyncDisposable {
  /** `postgres://…` of a superuser. */
  readonly url: string
  readonly version: string
}

const startMsMax = 30_000
const triesMax = 3

/** The folder with `initdb` and `postgres`: the newest of Debian's layout, else the one on PATH. */
export function findPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}

/**
 * Starts a cluster in a temporary folder on a free port of 127.0.0.1. Disposing stops it and removes the folder.
 * Nothing in it is worth a sync to disk, so it does none.
 */
export async function startPostgres(binaries: string): Promise<ThrowawayPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-postgres-'))
  const data = join(folder, 'data')
  const password = randomBytes(16).toString('hex')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password)
  const as = otherUser()
  if (as) for (const path of [folder, passwordFile]) chownSync(path, as.uid, as.gid)
  try {
    runTool(as, join(binaries, 'initdb'), [
      ...['-D', data, '-U', 'plinth', '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
      ...['--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'],
    ])
    for (let tries = 1; ; tries++) {
      const port = await freePort()
      const server = launch(as, binaries, { data, folder, port })
      if (await isUp(server)) {
        const guard = watch(server.child, folder)
        const version = spawnSync(join(binaries, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout
        return {
          url: `postgres://plinth:${password}@127.0.0.1:${port}/postgres`,
          version: `PostgreSQL ${/\d+(\.\d+)*/.exec(version)?.[0] ?? 'of unknown version'}`,
          async [Symbol.asyncDispose]() {
            guard.kill('SIGKILL')
            await stop(server.child)
            rmSync(folder, { recursive: true, force: true })
          },
        }
      }
      await stop(server.child)
      // Another process may have taken the port between the look and the start.
      if (tries === triesMax) throw new Error(`Cannot start PostgreSQL:\n${server.output()}`)
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

interface Server {
  readonly child: ChildProcess
  readonly output: () => string
}

interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root; root hands it to `postgres`, or `nobody` where there is none. */
function otherUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' })
    const gid = spawnSync('id', ['-g', name], { encoding: 'utf8' })
    if (uid.status === 0 && gid.status === 0) return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) }
  }
  throw new Error('Cannot start PostgreSQL as root: there is neither a user "postgres" nor a user "nobody"')
}

function runTool(as: User | undefined, command: string, args: readonly string[]): void {
  // In the temporary folder, because the other user may not read ours.
  const run = spawnSync(command, args, { encoding: 'utf8', cwd: tmpdir(), ...identityOf(as) })
  if (run.error) throw run.error
  if (run.status !== 0) throw new Error(`Cannot run ${command}: ${run.stderr || run.stdout}`)
}

function identityOf(as: User | undefined): { uid?: number; gid?: number } {
  return as ? { uid: as.uid, gid: as.gid } : {}
}

function launch(
  as: User | undefined,
  binaries: string,
  at: { readonly data: string; readonly folder: string; readonly port: number },
): Server {
  const settings = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${at.folder}`,
    'max_connections=200',
    'fsync=off',
  ]
  const child = spawn(
    join(binaries, 'postgres'),
    ['-D', at.data, '-p', String(at.port), ...settings.flatMap((setting) => ['-c', setting])],
    // A group of its own, so that Ctrl-C in a terminal reaches the runner first, which then stops it in order.
    // Its messages are read, so they are asked for in English.
    {
      cwd: tmpdir(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
      ...identityOf(as),
    },
  )
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-8192)
    })
  }
  child.on('error', (error) => {
    tail += error.message
  })
  return { child, output: () => tail }
}

async function isUp(server: Server): Promise<boolean> {
  const lastMs = performance.now() + startMsMax
  while (performance.now() < lastMs && server.child.exitCode === null && server.child.pid !== undefined) {
    if (server.output().includes('ready to accept connections')) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/**
 * Stops the server when this process is gone, however it went: the guard's input ends with it. Its disposal kills the
 * guard first, so that no later process with the same number is meant.
 */
function watch(server: ChildProcess, folder: string): ChildProcess {
  const script = 'cat >/dev/null; kill -INT "$1" && sleep 2; rm -rf "$2"'
  const guard = spawn('sh', ['-c', script, 'guard', String(server.pid), folder], {
    cwd: tmpdir(),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
  return guard
}

/** Fast shutdown (SIGINT ends sessions and leaves a clean cluster), and SIGKILL for one that does not listen. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGINT')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(timer)
}
