import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { type FileResult, runFile } from './run-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'plinth-run-file-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const head = "import { describe, it } from 'node:test'\nimport assert from 'node:assert/strict'\n"

async function run(body: string, timeoutMs = 20_000): Promise<FileResult> {
  writeFileSync(join(folder, 'subject.test.ts'), head + body)
  return await runFile(folder, 'subject.test.ts', { timeoutMs, env: process.env })
}

describe('runFile()', () => {
  it('counts tests, not suites, and names failures by their path', async () => {
    const result = await run(`describe('outer', () => {
      it('good', () => {})
      describe('inner', () => it('bad', () => assert.equal(1, 2)))
    })`)
    assert.equal(result.passed, 1)
    assert.deepEqual(
      result.failures.map(({ name }) => name),
      ['outer › inner › bad'],
    )
    assert.match(result.failures[0]?.error ?? '', /1 !== 2/)
  })

  it('keeps the reasons of skipped tests and suites', async () => {
    const result = await run(`describe('engine', { skip: 'not installed' }, () => it('x', () => {}))
      it('later', { skip: true }, () => {})`)
    assert.deepEqual(result.skips, [
      { name: 'engine', reason: 'not installed' },
      { name: 'later', reason: 'no reason given' },
    ])
  })

  it('counts a file that does not load as a failure with what it printed', async () => {
    const result = await run("throw new Error('at load')")
    assert.equal(result.passed, 0)
    assert.match(result.failures[0]?.error ?? '', /at load/)
  })

  it('counts a file without a test as a failure', async () => {
    assert.equal((await run('')).failures[0]?.name, 'the file ran no test to its end')
  })

  it('counts a file that leaves early as a failure although its first test passed', async () => {
    const result = await run("it('a', () => {})\nit('b', () => process.exit(0))")
    assert.match(result.failures[0]?.name ?? '', /ran no test to its end/)
  })

  it('counts a rejection that nobody handles as a failure', async () => {
    const result = await run("it('a', () => { void Promise.reject(new Error('lost')) })")
    assert.equal(result.failures.length > 0, true)
  })

  it('counts a hook that fails as a failure', async () => {
    const result = await run(`import { after } from 'node:test'
      describe('s', () => { after(() => { throw new Error('cleanup') }); it('a', () => {}) })`)
    assert.equal(result.failures.filter(({ name }) => name === 's').length, 1)
  })

  it('kills a file that hangs, and a process that a file leaves behind', async () => {
    const mark = join(folder, 'alive')
    const child = `setTimeout(() => require('node:fs').writeFileSync(${JSON.stringify(mark)}, ''), 3000)`
    const result = await run(
      `import { spawn } from 'node:child_process'
      spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' })
      it('hangs', () => new Promise((resolve) => setTimeout(resolve, 60_000)))`,
      1_500,
    )
    assert.match(result.failures[0]?.name ?? '', /did not end within 1.5 s/)
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    assert.equal(existsSync(mark), false)
  })

  it('ends when the file ends, although a child holds its output open', async () => {
    const mark = join(folder, 'served')
    const child = `setTimeout(() => require('node:fs').writeFileSync(${JSON.stringify(mark)}, ''), 2000)`
    const result = await run(`import { spawn } from 'node:child_process'
      it('starts a server', () => {
        spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' }).unref()
      })`)
    assert.equal(result.passed, 1)
    await new Promise((resolve) => setTimeout(resolve, 2_200))
    assert.equal(existsSync(mark), false)
  })
})
