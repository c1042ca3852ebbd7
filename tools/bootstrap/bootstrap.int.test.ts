import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Stands in for npm: notes its arguments, takes its time and leaves the lock file that npm leaves. */
const fakeNpm = `
const fs = require('node:fs')
fs.appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n')
if (fs.existsSync('npm-fails')) process.exit(7)
const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'))
if (process.argv.includes('--omit=dev')) for (const [k, v] of Object.entries(lock.packages)) if (v.dev) delete lock.packages[k]
setTimeout(() => {
  fs.mkdirSync('node_modules', { recursive: true })
  fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify(lock))
}, 300)
`

const program = `
import { existsSync } from 'node:fs'
process.on('SIGTERM', () => { console.log('told to stop'); process.exit(5) })
console.log('ran with', process.argv.slice(2).join(' '))
if (existsSync('wait')) setInterval(() => {}, 1000)
else process.exitCode = 3
`

function createClone(): string {
  const root = mkdtempSync(join(tmpdir(), 'plinth-bootstrap-'))
  folders.push(root)
  cpSync(import.meta.dirname, join(root, 'tools/bootstrap'), { recursive: true })
  for (const path of ['apps/plinth/src', 'tools/test']) mkdirSync(join(root, path), { recursive: true })
  writeFileSync(join(root, 'apps/plinth/src/main.ts'), program)
  writeFileSync(join(root, 'tools/test/main.ts'), program)
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  mkdirSync(join(root, 'npm'))
  writeFileSync(join(root, 'npm/package.json'), '{ "type": "commonjs" }')
  writeFileSync(join(root, 'npm/npm-cli.js'), fakeNpm)
  writeLock(root, '1.0.0')
  return root
}

function writeLock(root: string, version: string): void {
  const packages = {
    '': { name: 'x' },
    'node_modules/a': { version, integrity: 'sha512-a' },
    'node_modules/b': { version: '1.0.0', integrity: 'sha512-b', dev: true },
    'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-c', optional: true },
  }
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }))
}

interface Run {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function start(root: string, args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Run> } {
  const env = { ...process.env, npm_execpath: join(root, 'npm/npm-cli.js') }
  const child = spawn(process.execPath, ['tools/bootstrap/main.mjs', ...args], { cwd: root, env })
  let [out, err] = ['', '']
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    err += text
  })
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err }))) }
}

const npmRuns = (root: string) =>
  existsSync(join(root, 'npm.log')) ? readFileSync(join(root, 'npm.log'), 'utf8').trim().split('\n') : []

describe('bootstrap', () => {
  it('installs what is missing without tools, runs the program with its arguments and gives its exit code', async () => {
    const root = createClone()
    const { code, out, err } = await start(root, ['start', '--port', '1']).ended
    assert.equal(code, 3)
    assert.equal(out, 'ran with up --port 1\n')
    assert.match(err, /nothing is installed yet; installing what Plinth needs to run/)
    assert.equal(npmRuns(root).length, 1)
    assert.match(npmRuns(root)[0] ?? '', /^ci --ignore-scripts .*--omit=dev/)
  })

  it('installs nothing twice, the tools when they are needed, and all again when the lock file changed', async () => {
    const root = createClone()
    await start(root, ['start']).ended
    await start(root, ['start']).ended
    assert.equal(npmRuns(root).length, 1)
    const { err } = await start(root, ['test']).ended
    assert.match(err, /b is missing; installing everything/)
    assert.match(npmRuns(root)[1] ?? '', /--include=dev/)
    await start(root, ['start']).ended
    assert.equal(npmRuns(root).length, 2)
    writeLock(root, '2.0.0')
    assert.match((await start(root, ['start']).ended).err, /a is out of date/)
    assert.equal(npmRuns(root).length, 3)
  })

  it('installs once when two start at the same time', async () => {
    const root = createClone()
    const runs = await Promise.all([start(root, ['start']).ended, start(root, ['start']).ended])
    assert.deepEqual(
      runs.map(({ code }) => code),
      [3, 3],
    )
    assert.equal(npmRuns(root).length, 1)
    assert.equal(existsSync(join(root, '.install.lock')), false)
  })

  it('takes over the lock of a process that is gone', async () => {
    const root = createClone()
    // Above the largest process id of any system.
    writeFileSync(join(root, '.install.lock'), '4194305\n')
    assert.equal((await start(root, ['start']).ended).code, 3)
    assert.equal(existsSync(join(root, '.install.lock')), false)
  })

  it('says what to do when npm fails, and leaves no lock', async () => {
    const root = createClone()
    writeFileSync(join(root, 'npm-fails'), '')
    const { code, out, err } = await start(root, ['start']).ended
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.match(err, /npm ended with code 7[\s\S]*registry cannot be reached/)
    assert.equal(existsSync(join(root, '.install.lock')), false)
  })

  it('passes SIGTERM on and waits for the program to end', async () => {
    const root = createClone()
    writeFileSync(join(root, 'wait'), '')
    const { child, ended } = start(root, ['start'])
    child.stdout?.on('data', (text) => {
      if (String(text).includes('ran with')) child.kill('SIGTERM')
    })
    const { code, out } = await ended
    assert.equal(code, 5)
    assert.match(out, /told to stop/)
  })

  it('refuses a script that it does not know', async () => {
    const { code, err } = await start(createClone(), ['fly']).ended
    assert.equal(code, 1)
    assert.match(err, /Cannot run "fly": known are start,/)
  })
})
