import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./fixtures/signalled-application.ts', import.meta.url))

type Step = readonly [after: string, signal: NodeJS.Signals]

/** Runs the fixture; sends each signal once its line has been seen. */
async function run(mode: string, steps: readonly Step[] = []) {
  const child = spawn(process.execPath, [program, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
  const left = [...steps]
  let output = ''
  let sentMs = 0
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    while (left[0] && output.includes(`${left[0][0]}\n`)) {
      sentMs = performance.now()
      child.kill(left.shift()?.[1])
    }
  })
  const code = await new Promise((resolve) => child.on('exit', (status, signal) => resolve(status ?? signal)))
  return { code, lines: output.trim().split('\n'), tookMs: performance.now() - sentMs }
}

describe('runApplication', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`runApplication() drains, stops and answers 0 on ${signal}, at once when idle`, async () => {
      const { code, lines, tookMs } = await run('idle', [['ready', signal]])
      assert.equal(code, 0)
      assert.equal(lines[1], 'edge drained')
      assert.deepEqual(lines.slice(2).toSorted(), ['edge stopped', 'exit 0', 'store stopped'])
      assert.ok(tookMs < 1000, `took ${tookMs} ms`)
    })
  }

  it('runApplication() is forced by a second signal while a hook stalls', async () => {
    const { code, lines } = await run('stalls', [
      ['ready', 'SIGTERM'],
      ['edge drained', 'SIGINT'],
    ])
    assert.equal(code, 130)
    assert.ok(lines.includes('exit 130'))
  })

  it('runApplication() answers the code of the fault when the start fails, after stopping what started', async () => {
    const { code, lines } = await run('fails')
    assert.deepEqual([code, lines], [23, ['store stopped', 'exit 23']])
  })

  it('runApplication() gives up a start under way on SIGTERM, and stops what started', async () => {
    const { code, lines } = await run('slow-start', [['starting', 'SIGTERM']])
    assert.deepEqual([code, lines], [0, ['starting', 'store stopped', 'exit 0']])
  })

  it('runApplication() stops in order after a crash and answers 1', async () => {
    const { code, lines } = await run('crashes')
    assert.equal(code, 1)
    assert.ok(lines.includes('store stopped') && lines.includes('edge drained'))
  })

  it('runApplication() stops when a module asks for it', async () => {
    const { code, lines } = await run('asks')
    assert.equal(code, 0)
    assert.ok(lines.includes('store stopped'))
  })

  it('runApplication() reloads on SIGHUP and goes on', async () => {
    const { code, lines } = await run('reloads', [
      ['ready', 'SIGHUP'],
      ['reloaded', 'SIGTERM'],
    ])
    assert.equal(code, 0)
    assert.ok(lines.includes('reloaded'))
  })
})
