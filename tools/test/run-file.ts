import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ReportLine } from './reporter.ts'

/** What became of one test file. */
export interface FileResult {
  readonly file: string
  readonly passed: number
  readonly failures: readonly { readonly name: string; readonly error: string }[]
  readonly skips: readonly { readonly name: string; readonly reason: string }[]
  readonly tookMs: number
}

const keptOutput = 16_384
const reporter = pathToFileURL(join(import.meta.dirname, 'reporter.ts')).href
const running = new Set<ChildProcess>()

/** Kills every test process that still runs, with all it has started. */
export function killRunning(): void {
  for (const child of running) killGroup(child)
}

/**
 * Runs one test file in a process and a process group of its own. Whatever it leaves behind is killed, and a file
 * that crashes, runs no test or does not end in `timeoutMs` counts as one failure.
 */
export async function runFile(
  root: string,
  file: string,
  options: { readonly timeoutMs: number; readonly env: NodeJS.ProcessEnv },
): Promise<FileResult> {
  const startMs = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'plinth-test-'))
  const report = join(folder, 'report.jsonl')
  const env: NodeJS.ProcessEnv = { ...options.env }
  // Set when the runner itself is under test; it would switch the child to another protocol.
  delete env.NODE_TEST_CONTEXT
  try {
    const child = spawn(
      process.execPath,
      [`--test-reporter=${reporter}`, `--test-reporter-destination=${report}`, '--enable-source-maps', file],
      { cwd: root, env, detached: process.platform !== 'win32', stdio: ['ignore', 'pipe', 'pipe'] },
    )
    running.add(child)
    const output = keepTail(child)
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      killGroup(child)
    }, options.timeoutMs)
    const ended = await whenEnded(child)
    clearTimeout(timer)
    killGroup(child)
    running.delete(child)
    const lines = readReport(report)
    return summarise(file, lines, {
      tookMs: performance.now() - startMs,
      crash: isLate ? `did not end within ${options.timeoutMs / 1000} s` : crashOf(lines, ended),
      output: output(),
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function summarise(
  file: string,
  lines: readonly ReportLine[],
  end: { readonly tookMs: number; readonly crash: string | undefined; readonly output: string },
): FileResult {
  const failures = lines.filter((line) => line.is === 'failed').map(({ name, error }) => ({ name, error }))
  const skips = lines.filter((line) => line.is === 'skipped').map(({ name, reason }) => ({ name, reason }))
  if (end.crash !== undefined) {
    failures.push({ name: `the file ${end.crash}`, error: end.output || '(it printed nothing)' })
  } else if (failures.length > 0 && end.output !== '') {
    failures.push({ name: '', error: `printed by the file:\n${end.output}` })
  }
  return { file, passed: lines.filter((line) => line.is === 'passed').length, failures, skips, tookMs: end.tookMs }
}

function crashOf(lines: readonly ReportLine[], ended: string): string | undefined {
  // Either it has none, or it left with process.exit() before the report was written.
  if (lines.length === 0 && ended === 'code 0') return 'ran no test to its end'
  if (lines.at(-1)?.is !== 'end') return `ended with ${ended} before its tests did`
  if (lines.length === 1) return 'ran no test to its end'
  // Node reports what a test left behind (an unhandled rejection) by its exit code alone.
  if (ended !== 'code 0' && !lines.some((line) => line.is === 'failed')) return `ended with ${ended}`
  return undefined
}

function readReport(path: string): ReportLine[] {
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    // It crashed before the first test: an empty report says so.
  }
  // A last line cut short by a crash is dropped.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ReportLine)
}

function keepTail(child: ChildProcess): () => string {
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-keptOutput)
    })
  }
  return () => tail.trim()
}

function whenEnded(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    // Not "close": a server left behind may hold the pipes open for ever.
    child.on('exit', (code, signal) => setImmediate(resolve, signal ?? `code ${code}`))
  })
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill('SIGKILL')
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The whole group is gone already.
  }
}
