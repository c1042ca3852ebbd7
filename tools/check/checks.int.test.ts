import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { checks } from './checks.ts'
import { runTool } from './run-tool.ts'
import { findStaleContracts } from './stale-contracts.ts'

const root = join(import.meta.dirname, '..', '..')
const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-checks-'))
  folders.push(folder)
  return folder
}

describe('findStaleContracts()', () => {
  it('names files that differ from what their contract makes, are missing or have no source', async () => {
    const copy = createFolder()
    for (const path of ['package.json', 'tools/contracts', 'packages/rpc/contract']) {
      cpSync(join(root, path), join(copy, path), { recursive: true })
    }
    writeFileSync(
      join(copy, 'buf.yaml'),
      'version: v2\nmodules:\n  - path: packages/rpc/contract\n  - path: node_modules/.cache/plinth-contracts\n',
    )
    mkdirSync(join(copy, 'services'))
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    const gen = join(copy, 'packages/rpc/contract/gen')
    writeFileSync(join(gen, 'plinth/type/v1/money_pb.ts'), '// changed by hand\n')
    writeFileSync(join(gen, 'plinth/type/v1/gone_pb.ts'), '')
    rmSync(join(gen, 'google/rpc/code_pb.ts'))
    const problem = await findStaleContracts(copy)
    assert.match(problem ?? '', /gen\/plinth\/type\/v1\/money_pb\.ts: differs/)
    assert.match(problem ?? '', /gone_pb\.ts: has no source/)
    assert.match(problem ?? '', /code_pb\.ts: missing/)
    assert.match(problem ?? '', /npm run contracts/)
  })
})

describe('contracts: no breaking change', () => {
  const check = checks.find(({ name }) => name.includes('breaking'))

  function createRelease(): string {
    const folder = createFolder()
    mkdirSync(join(folder, 'packages/rpc/contract/a'), { recursive: true })
    mkdirSync(join(folder, 'services'))
    mkdirSync(join(folder, 'node_modules'))
    writeFileSync(join(folder, 'buf.yaml'), 'version: v2\nmodules:\n  - path: packages/rpc/contract\n')
    writeProto(folder, 'string name = 1; int64 count = 2;')
    const identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.com']
    for (const args of [
      ['init', '-q'],
      ['add', '.'],
      [...identity, 'commit', '-qm', 'x'],
    ]) {
      assert.equal(spawnSync('git', args, { cwd: folder }).status, 0)
    }
    return folder
  }

  function writeProto(folder: string, fields: string): void {
    const text = `syntax = "proto3";\npackage a;\nmessage A { ${fields} }\n`
    writeFileSync(join(folder, 'packages/rpc/contract/a/a.proto'), text)
  }

  it('is skipped with the reason while nothing was released', async () => {
    const result = await check?.run(createRelease())
    assert.match(result && 'skipped' in result ? result.skipped : '', /no release tag/)
  })

  it('refuses a changed field and takes a new one, compared with the newest release', async () => {
    const folder = createRelease()
    assert.equal(spawnSync('git', ['tag', 'v1.0.0'], { cwd: folder }).status, 0)
    writeProto(folder, 'string name = 1; int64 count = 2; bool more = 3;')
    assert.equal(await check?.run(folder), undefined)
    writeProto(folder, 'string name = 1; string count = 2;')
    const result = await check?.run(folder)
    assert.match(result && 'problem' in result ? result.problem : '', /count[\s\S]*Compared with v1\.0\.0/)
  })
})

describe('runTool()', () => {
  it('answers the code and both outputs', async () => {
    const script = 'console.log(1); console.error(2); process.exitCode = 3'
    const { code, output } = await runTool(root, [process.execPath, '-e', script])
    assert.equal(code, 3)
    assert.deepEqual(output.split('\n').sort(), ['1', '2'])
  })

  it('fails with 127 for what is not there and with 124 for what takes too long', async () => {
    assert.equal((await runTool(root, ['no-such-tool'])).code, 127)
    const forever = [process.execPath, '-e', 'setInterval(() => {}, 1000)']
    assert.equal((await runTool(root, forever, { timeoutMs: 500 })).code, 124)
  })
})
