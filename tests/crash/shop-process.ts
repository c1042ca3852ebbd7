/**
 * The real program in a process of its own, to be killed and started again on the same folder.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Random } from '@plinth/base'

export interface ProcessPlan {
  /** The data folder; processes of one shop share it. */
  readonly dir: string
  /** Services that run here; none: all of them. */
  readonly services: readonly string[]
  readonly httpPort: number
  readonly grpcPort: number
  /** `service=host:port` of every service that runs elsewhere. */
  readonly peers: readonly string[]
  /** `section.field=value` each. */
  readonly settings: readonly string[]
}

/** A line of the program's log. */
export interface LogLine {
  readonly level: string
  readonly event: string
  readonly code?: string
  readonly [field: string]: unknown
}

export interface ShopProcess {
  readonly log: readonly LogLine[]
  /** What it wrote beside its log. */
  readonly said: () => string
  /** Resolves when it serves. Rejects when it ends before. */
  readonly opened: Promise<void>
  /** Settles when it is gone: its exit code, or `undefined` when a signal ended it. */
  readonly ended: Promise<number | undefined>
  /** SIGKILL: no handler, no flush, no goodbye. */
  kill(): Promise<void>
  /** Ends it in good order and answers its exit code. */
  stop(): Promise<number | undefined>
}

const program = join(import.meta.dirname, '../../apps/plinth/src/main.ts')

const logLinesMax = 20_000

export function startProcess(plan: ProcessPlan): ShopProcess {
  const settings = [
    `http.port=${plan.httpPort}`,
    `grpc.port=${plan.grpcPort}`,
    'admin.port=0',
    'log.format=json',
    ...plan.settings,
  ]
  const child = spawn(
    process.execPath,
    [
      program,
      'up',
      ...plan.services,
      '--no-seed',
      '--data',
      plan.dir,
      ...(plan.peers.length > 0 ? ['--peers', ...plan.peers] : []),
      '--set',
      ...settings,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: withoutPlinth(process.env) },
  )
  const log: LogLine[] = []
  let errors = ''
  const opened = Promise.withResolvers<void>()
  // Whoever kills it during its start does not wait for its opening.
  opened.promise.catch(() => {})
  onLines(child, (line) => {
    if (log.length >= logLinesMax) log.shift()
    log.push(line)
    if (line.event === 'shop_open') opened.resolve()
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-20_000)
  })
  const said = () =>
    `${log
      .slice(-30)
      .map((line) => JSON.stringify(line).slice(0, 600))
      .join('\n')}\n${errors}`
  const ended = new Promise<number | undefined>((resolve) => {
    child.on('close', (code) => {
      opened.reject(new Error(`The shop ended with ${code} before it opened:\n${said()}`))
      resolve(code ?? undefined)
    })
  })
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return ended
  }
  return {
    log,
    said,
    opened: opened.promise,
    ended,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGINT'),
  }
}

function onLines(child: ChildProcess, listener: (line: LogLine) => void): void {
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    // A kill may cut the last line: what was not said to its end was not said.
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('{')) listener(JSON.parse(line) as LogLine)
  })
}

/** The settings of whoever runs the tests are not those of the shop under test. */
function withoutPlinth(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('PLINTH_')))
}

/**
 * Free ports that stay free while the shop is down: below those that the system hands out to whoever connects
 * somewhere.
 */
export async function takePorts(count: number, random: Random): Promise<readonly number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = 10_000 + random.int(20_000)
    if (!ports.includes(port) && (await isFree(port))) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
