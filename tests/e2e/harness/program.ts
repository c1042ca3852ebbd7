/**
 * The real program in a process of its own, as a user starts it: `plinth up` on free ports and a folder of its own.
 * @module
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface ProgramOptions {
  /** Services to run here. @default all */
  readonly services?: readonly string[]
  /** `service=host:port` each. */
  readonly peers?: readonly string[]
  /** `section.field=value` each. */
  readonly settings?: readonly string[]
  /** Where an earlier program left its files; kept at the end. @default a new folder, removed at the end */
  readonly dir?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Whether an empty catalogue gets its 3,201 films. @default false */
  readonly seed?: boolean
}

/** One line of the log. */
export type LogRecord = Readonly<Record<string, unknown>> & { readonly level: string; readonly event: string }

export interface Program extends AsyncDisposable {
  readonly dir: string
  /** `http://host:port` of REST. */
  readonly http: string
  /** `host:port`. */
  readonly grpc: string
  /** `http://host:port` of health and metrics. */
  readonly admin: string
  readonly pid: number
  /** Log lines so far. */
  readonly records: readonly LogRecord[]
  /** Everything that it wrote so far. */
  output(): string
  /** Sends SIGTERM, waits for the end and asserts that it was clean. Answers what the log says of it. */
  stop(): Promise<LogRecord>
  /** Ends it by `kill -9`. */
  kill(): Promise<void>
}

const main = join(import.meta.dirname, '../../../apps/plinth/src/main.ts')
const startTimeoutMs = 60_000

/** Starts the program and waits until it says that the shop is open. */
export async function startProgram(options: ProgramOptions = {}): Promise<Program> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'plinth-e2e-')))
  const child = spawn(process.execPath, [main, ...argumentsOf(options, dir)], {
    // A folder without a plinth.yaml: nobody's settings leak into the test.
    cwd: dir,
    env: { ...cleanEnvironment(), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = watchOutput(child)
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as const)
  const opened = await Promise.race([
    output.record('shop_open', startTimeoutMs),
    ended.then(({ code, signal }) => assert.fail(`the program ended (${code ?? signal}):\n${output.text()}`)),
  ])

  async function end(signal: 'SIGTERM' | 'SIGKILL') {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const how = await ended
    await output.complete
    return how
  }

  return {
    dir,
    http: String(opened.url),
    grpc: String(opened.grpc),
    admin: String(opened.admin),
    pid: child.pid ?? 0,
    records: output.records,
    output: output.text,
    async stop() {
      const how = await end('SIGTERM')
      assert.deepEqual(how, { code: 0, signal: null }, `the end was not clean:\n${output.text()}`)
      const stopped = output.records.find(({ event }) => event === 'application_stopped')
      assert.equal(stopped?.clean, true, JSON.stringify(stopped))
      return stopped as LogRecord
    },
    async kill() {
      await end('SIGKILL')
    },
    async [Symbol.asyncDispose]() {
      await end('SIGKILL')
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
    },
  }
}

/** The lines of the log at which something went wrong inside. */
export function errorLines(program: Pick<Program, 'records'>): readonly LogRecord[] {
  return program.records.filter(({ level }) => level === 'error' || level === 'fatal')
}

/** Ports that were free a moment ago, for processes that must know each other before they start. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

function argumentsOf(options: ProgramOptions, dir: string): readonly string[] {
  const settings = [
    `data.dir=${dir}`,
    'http.port=0',
    'grpc.port=0',
    'admin.port=0',
    'log.format=json',
    ...(options.settings ?? []),
  ]
  return [
    'up',
    ...(options.services ?? []),
    ...(options.peers?.length ? ['--peers', ...options.peers] : []),
    '--set',
    ...settings,
    ...(options.seed ? [] : ['--no-seed']),
  ]
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PLINTH_|NODE_|FORCE_COLOR)/.test(name)))
}

function watchOutput(child: ChildProcess) {
  const lines: string[] = []
  const records: LogRecord[] = []
  const waiting = new Map<string, (record: LogRecord) => void>()
  const readers = [child.stdout, child.stderr].map((stream) => {
    assert.ok(stream)
    const reader = createInterface({ input: stream })
    reader.on('line', (line) => {
      lines.push(line)
      if (!line.startsWith('{"time"')) return
      const record = JSON.parse(line) as LogRecord
      records.push(record)
      waiting.get(record.event)?.(record)
    })
    return once(reader, 'close')
  })
  return {
    records,
    text: () => lines.join('\n'),
    complete: Promise.all(readers),
    async record(event: string, timeoutMs: number): Promise<LogRecord> {
      const known = records.find((record) => record.event === event)
      if (known) return known
      const { promise, resolve, reject } = Promise.withResolvers<LogRecord>()
      waiting.set(event, resolve)
      const fail = () => reject(new Error(`no ${event} in ${timeoutMs} ms:\n${lines.join('\n')}`))
      // A program that ended first leaves nothing to wait for.
      const timer = setTimeout(fail, timeoutMs).unref()
      return await promise.finally(() => clearTimeout(timer))
    },
  }
}
