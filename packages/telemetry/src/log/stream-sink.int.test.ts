import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createFileSink } from './file-sink.ts'
import { createLogger } from './logger.ts'
import { createStreamSink } from './stream-sink.ts'

interface Outcome {
  readonly records: Record<string, unknown>[]
  readonly errors: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Runs a program that has `log` on stdout, flushed at exit; reads its output only once `ready` says so. */
async function run(
  program: string,
  ready: (child: ChildProcess) => Promise<unknown> = async () => {},
): Promise<Outcome> {
  const source = `
    import { createLogger, createStreamSink, flushAtExit } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}
    const sink = createStreamSink(1, { waitingCharsMax: Number(process.argv[1] ?? 2 ** 23) })
    const log = createLogger({ sink })
    flushAtExit(log)
    ${program}`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    errors += text
  })
  const ended = once(child, 'close')
  await ready(child)
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  const [code, signal] = await ended
  const records = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  return { records, errors, code, signal }
}

describe('flushAtExit()', () => {
  it('loses no line on process.exit(), with the thread pool busy and a batch under way', async () => {
    const { records, code } = await run(`
      const { pbkdf2 } = await import('node:crypto')
      for (let n = 0; n < 8; n++) pbkdf2('x', 'y', 200_000, 64, 'sha512', () => {})
      for (let n = 0; n < 5000; n++) log.info('line', { n })
      setImmediate(() => setImmediate(() => {
        for (let n = 5000; n < 10_000; n++) log.info('line', { n })
        process.exit(7)
      }))`)
    assert.equal(code, 7)
    assert.deepEqual(
      records.map(({ n }) => n as number).sort((a, b) => a - b),
      Array.from({ length: 10_000 }, (_, n) => n),
    )
  })

  it('writes an uncaught exception and lets the process end as always', async () => {
    for (const crash of ["throw new Error('it broke')", "Promise.reject(new Error('it broke'))"]) {
      const { records, errors, code } = await run(`log.info('before'); ${crash}`)
      assert.equal(code, 1)
      assert.match(errors, /it broke/)
      assert.deepEqual(
        records.map(({ event }) => event),
        ['before', 'process_crashed'],
      )
      const { error, level } = records[1] as { level: string; error: { message: string; stack: string } }
      assert.deepEqual([level, error.message], ['fatal', 'it broke'])
    }
  })

  it('flushes on SIGTERM and then ends by it', async () => {
    const { records, signal } = await run(
      "log.info('last'); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)",
    )
    assert.deepEqual([records.map(({ event }) => event), signal], [['last'], 'SIGTERM'])
  })

  it('leaves a signal to whoever else handles it', async () => {
    const { records, code } = await run(`
      process.on('SIGTERM', () => { log.info('draining'); process.exit(3) })
      log.info('up')
      process.kill(process.pid, 'SIGTERM')
      setInterval(() => {}, 1000)`)
    assert.deepEqual([records.map(({ event }) => event), code], [['up', 'draining'], 3])
  })
})

describe('createStreamSink()', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'plinth-log-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('keeps its memory bounded and its process running while the reader stalls, then says what it lost', async () => {
    const { records } = await run(
      `
      const pad = 'x'.repeat(1000)
      for (let n = 0; n < 30_000; n++) {
        log.info('line', { n, pad })
        if (n % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      process.send({ dropped: sink.dropped, heap: process.memoryUsage().heapUsed })
      await sink.flush()
      log.info('end', { dropped: sink.dropped })
      process.disconnect()`,
      async (child) => {
        const [report] = (await once(child, 'message')) as [{ dropped: number; heap: number }]
        assert.ok(report.dropped > 10_000, `${report.dropped} dropped`)
        assert.ok(report.heap < 100e6, `${report.heap} bytes`)
      },
    )
    const lines = records.filter(({ event }) => event === 'line').map(({ n }) => n as number)
    const reported = records
      .filter(({ event }) => event === 'log_lines_dropped')
      .reduce((sum, { dropped }) => sum + Number(dropped), 0)
    assert.equal(lines.length + reported, 30_000)
    assert.equal(records.at(-1)?.dropped, reported)
    assert.equal(lines.at(-1), 29_999)
    assert.deepEqual(
      lines,
      [...lines].sort((a, b) => a - b),
    )
  })

  it('counts what the system refuses and never throws', {
    skip: process.platform !== 'linux' && '/dev/full is of Linux',
  }, async () => {
    const full = openSync('/dev/full', 'w')
    const sink = createStreamSink(full)
    sink.write('lost\n')
    sink.write('lost too\n')
    await sink.flush()
    sink.write('lost at once\n')
    sink.flushSync()
    assert.equal(sink.dropped, 3)
    await sink[Symbol.asyncDispose]()
    sink.write('after the end\n')
    assert.equal(sink.dropped, 4)
    closeSync(full)
  })

  it('refuses options out of bounds', () => {
    for (const options of [{ waitingCharsMax: 0 }, { retryMs: 0 }, { retryMs: Number.NaN }]) {
      assert.throws(() => createStreamSink(1, options), RangeError)
    }
  })

  it('createFileSink() appends, and goes on in a new file after a rotation', async () => {
    const path = join(folder, 'a.log')
    for (const event of ['first', 'second']) {
      await using log = createLogger({ sink: createFileSink(path) })
      log.info(event)
    }
    const sink = createFileSink(path)
    const log = createLogger({ sink })
    log.info('third')
    renameSync(path, `${path}.1`)
    await sink.reopen()
    log.info('fourth')
    await sink[Symbol.asyncDispose]()
    await sink[Symbol.asyncDispose]()
    const events = (file: string) =>
      [...readFileSync(file, 'utf8').matchAll(/"event":"(\w+)"/g)].map(([, event]) => event)
    assert.deepEqual([events(`${path}.1`), events(path)], [['first', 'second', 'third'], ['fourth']])
    assert.throws(() => createFileSink(join(folder, 'missing', 'a.log')), { code: 'ENOENT' })
  })

  it('flushSync() and flush() together write every line once', async () => {
    const path = join(folder, 'b.log')
    await using sink = createFileSink(path)
    for (let n = 0; n < 20_000; n++) {
      sink.write(`${n}\n`)
      if (n % 5000 === 0) await new Promise((resolve) => setImmediate(resolve))
      if (n % 7000 === 0) sink.flushSync()
    }
    await sink.flush()
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1).map(Number)
    assert.deepEqual(
      lines.sort((a, b) => a - b),
      Array.from({ length: 20_000 }, (_, n) => n),
    )
  })
})
