import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const app = join(import.meta.dirname, '..')
const main = join(app, 'src', 'main.ts')
const compiled = join(app, '..', '..', 'node_modules', '.cache', 'compiled')

/** What a command answered. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** A shop in a process of its own, on free ports, with a data folder that goes away. */
export interface TestShop extends AsyncDisposable {
  readonly folder: string
  readonly grpc: string
  readonly http: string
  readonly admin: string
  /** Runs one command against the shop. */
  run(args: readonly string[], options?: RunOptions): Promise<Ran>
  /** Runs one command that has to succeed, and reads its JSON. */
  json<T>(...args: readonly string[]): Promise<T>
  /** Starts one command. */
  start(args: readonly string[], options?: RunOptions): ChildProcess
}

const baseEnvironment = (folder: string) => ({
  PATH: process.env.PATH ?? '',
  HOME: folder,
  XDG_CONFIG_HOME: join(folder, 'config'),
  NODE_COMPILE_CACHE: compiled,
  PLINTH_PASSWORD: 'correct horse battery',
})

/** Starts a command in `folder` with nothing of the outer environment. */
export function startCommand(folder: string, args: readonly string[], options: RunOptions = {}): ChildProcess {
  const env = { ...baseEnvironment(folder), ...options.env }
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env, stdio: 'pipe' })
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input ?? '')
  return child
}

/** Collects what a command says until it ends. */
export async function finished(child: ChildProcess): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** Opens a shop of a few products. */
export async function openTestShop(): Promise<TestShop> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-cli-'))
  const data = join(folder, '.plinth')
  const ports = ['--http-port', '0', '--grpc-port', '0', '--admin-port', '0']
  const shop = startCommand(folder, ['up', '--data', data, '--no-seed', ...ports])
  shop.stderr?.resume()
  const open = await shopOpen(shop)
  const withServer = (options: RunOptions = {}) => ({ ...options, env: { PLINTH_SERVER: open.grpc, ...options.env } })
  const run = (args: readonly string[], options?: RunOptions) =>
    finished(startCommand(folder, args, withServer(options)))
  return {
    folder,
    grpc: open.grpc,
    http: open.url,
    admin: open.admin.replace('http://', ''),
    run,
    async json<T>(...args: readonly string[]): Promise<T> {
      const { code, stdout, stderr } = await run([...args, '--json'])
      if (code !== 0) throw new Error(`plinth ${args.join(' ')} ended with ${code}: ${stderr}`)
      return JSON.parse(stdout) as T
    },
    start: (args, options) => startCommand(folder, args, withServer(options)),
    async [Symbol.asyncDispose]() {
      const ended = once(shop, 'close')
      shop.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

interface ShopOpen {
  readonly event: string
  readonly url: string
  readonly grpc: string
  readonly admin: string
}

async function shopOpen(shop: ChildProcess): Promise<ShopOpen> {
  const lines = createInterface({ input: shop.stdout! })
  const said: string[] = []
  for await (const line of lines) {
    said.push(line)
    const entry = JSON.parse(line) as ShopOpen
    if (entry.event !== 'shop_open') continue
    shop.stdout?.resume()
    return entry
  }
  throw new Error(`The shop did not open:\n${said.join('\n')}`)
}
