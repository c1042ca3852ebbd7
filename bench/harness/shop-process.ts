/** The real program in a process of its own, with a customer and an operator ready to go. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface ShopProcess extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly dir: string
  readonly pid: number
  /** Milliseconds from the start of the process until it was open, the catalogue loaded. */
  readonly openedAfterMs: number
  readonly customer: string
  readonly operator: string
  /** Calls the API as JSON and gives the answer; anything but 2xx is thrown. */
  call(method: string, path: string, options?: CallOptions): Promise<Record<string, unknown>>
  /** Ids of so many products with plenty of stock. */
  products(count: number): Promise<readonly string[]>
  /** Microseconds of processor time the server has used. */
  cpuMicros(): number
  residentBytes(): number
}

interface CallOptions {
  readonly token?: string
  readonly body?: unknown
  readonly key?: string
}

const main = join(import.meta.dirname, '..', '..', 'apps', 'plinth', 'src', 'main.ts')

export async function startShop(
  options: {
    readonly settings?: readonly string[]
    readonly nodeOptions?: readonly string[]
    readonly dir?: string
  } = {},
): Promise<ShopProcess> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'plinth-bench-'))
  const ports = ['http.port=0', 'grpc.port=0', 'admin.port=0']
  const settings = [...ports, 'identity.verification=optional', ...(options.settings ?? [])]
  const startMs = performance.now()
  const child = spawn(
    process.execPath,
    [...(options.nodeOptions ?? []), main, 'up', '--data', dir, '--set', ...settings],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
      cwd: dir,
    },
  )
  const open = await opened(child)
  const url = open.url
  const openedAfterMs = performance.now() - startMs
  const call = async (method: string, path: string, { token, body, key }: CallOptions = {}) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(key && { 'idempotency-key': key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return JSON.parse(text) as Record<string, unknown>
  }
  const operatorFile = JSON.parse(readFileSync(join(dir, 'operator.json'), 'utf8')) as Record<string, string>
  const login = async (body: unknown) => (await call('POST', '/v1/auth/login', { body }))['accessToken'] as string
  const operator = await login({ email: operatorFile['email'], password: operatorFile['password'] })
  const account = { email: `bench-${process.pid}@example.com`, password: 'correct horse battery staple' }
  await call('POST', '/v1/auth/register', { body: { ...account, displayName: 'Bench' } })
  const customer = await login(account)
  return {
    url,
    port: Number(new URL(url).port),
    dir,
    pid: child.pid!,
    openedAfterMs,
    customer,
    operator,
    call,
    async products(count) {
      const { products } = await call('GET', `/v1/products?page_size=${count}`)
      const ids = (products as { productId: string }[]).map((product) => product.productId)
      for (const id of ids) {
        await call('POST', `/v1/products/${id}/stock:adjust`, { token: operator, body: { delta: 1_000_000 } })
      }
      return ids
    },
    cpuMicros: () => cpuMicros(child.pid!),
    residentBytes: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await once(child, 'exit')
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function opened(child: ChildProcess): Promise<{ readonly url: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly url: string }>()
  const lines: string[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (lines.length < 50) lines.push(line)
    if (line.includes('"event":"shop_open"')) resolve(JSON.parse(line) as { url: string })
  })
  child.once('exit', (code) =>
    reject(new Error(`The shop ended with ${code} before it was open:\n${lines.join('\n')}`)),
  )
  return await promise
}

const ticksPerSecond = 100

/** Microseconds of processor time a process has used, user and system. */
export function cpuMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond
}
