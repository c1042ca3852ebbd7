import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { findPostgres } from './postgres.ts'

const root = join(import.meta.dirname, '..', '..')
const main = join(import.meta.dirname, 'main.ts')
const folder = mkdtempSync(join(tmpdir(), 'plinth-runner-'))
// The user that PostgreSQL runs as has to get in.
chmodSync(folder, 0o755)
after(() => rmSync(folder, { recursive: true, force: true }))

function leftovers(): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith('plinth-postgres'))
}

const { PLINTH_TEST_POSTGRES_URL: _, ...rest } = process.env
const env = { ...rest, TMPDIR: folder }

describe('npm test', () => {
  it('runs the files that are named, and ends with one line', () => {
    const run = spawnSync(process.execPath, [main, 'tools/test/discover'], { cwd: root, env, encoding: 'utf8' })
    assert.equal(run.status, 0, run.stdout + run.stderr)
    assert.match(run.stdout, /\n2 passed, 0 failed, 0 skipped\n$/)
    assert.deepEqual(readdirSync(folder), [])
  })

  it('fails when no test ran', () => {
    const run = spawnSync(process.execPath, [main, 'no/such/test'], { cwd: root, env, encoding: 'utf8' })
    assert.equal(run.status, 1)
    assert.match(run.stdout, /\n0 passed, 0 failed, 0 skipped\n$/)
  })

  it('stops what it started on Ctrl-C', { skip: findPostgres() ? false : 'PostgreSQL is not installed' }, async () => {
    const child = spawn(process.execPath, [main, 'tools/tidy/'], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.includes('with PostgreSQL')) child.kill('SIGINT')
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    assert.equal(code, 130)
    assert.match(output, /interrupted/)
    assert.match(output, /\n\d+ passed, \d+ failed, \d+ skipped\n$/)
    assert.deepEqual(leftovers(), [])
  })

  it('leaves no server behind when it is killed', {
    skip: findPostgres() ? false : 'PostgreSQL is not installed',
  }, async () => {
    const child = spawn(process.execPath, [main, 'tools/tidy/'], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('with PostgreSQL')) child.kill('SIGKILL')
    })
    await new Promise((resolve) => child.once('close', resolve))
    for (let tries = 0; tries < 100 && leftovers().length > 0; tries++) await sleep(100)
    // The folder of the cluster goes last, so the server is gone too.
    assert.deepEqual(leftovers(), [])
  })
})
