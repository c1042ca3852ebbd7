import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { finished, startCommand } from './cli.fixture.ts'

const bin = join(import.meta.dirname, '..', 'bin', 'plinth.mjs')

async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-shell-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

async function script(folder: string, shell: string): Promise<string> {
  const path = join(folder, `plinth.${shell}`)
  const { stdout, code } = await finished(startCommand(folder, ['completion', shell]))
  assert.equal(code, 0)
  await writeFile(path, stdout)
  return path
}

const lacks = (shell: string) => {
  const { status } = spawnSync(shell, ['-c', 'true'])
  return status === 0 ? false : `${shell} is not installed`
}

describe('plinth in a shell', () => {
  it('completes commands, options and choices in bash', { skip: lacks('bash') }, async () => {
    await using opened = await openFolder()
    const path = await script(opened.folder, 'bash')
    const complete = (...words: readonly string[]) => {
      const line = `source ${path}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _plinth; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' })
      assert.equal(stderr, '')
      return stdout.trim().split('\n')
    }
    assert.deepEqual(complete('plinth', 'cat'), ['catalog'])
    assert.deepEqual(complete('plinth', 'catalog', 'se'), ['search'])
    assert.deepEqual(complete('plinth', '--server', 'a:1', 'orders', 'ti'), ['timeline'])
    assert.deepEqual(complete('plinth', 'catalog', 'search', '--order', 'ti'), ['title'])
    assert.deepEqual(complete('plinth', 'completion', 'z'), ['zsh'])
    assert.deepEqual(complete('plinth', 'orders', 'list', '--stat'), ['--status'])
    assert.ok(complete('plinth', 'orders', 'list', '--status', '').includes('refunded'))
    assert.ok(complete('plinth', 'orders', 'list', '--').includes('--json'))
  })

  for (const shell of ['zsh', 'fish']) {
    it(`prints a script that ${shell} reads without a word`, { skip: lacks(shell) }, async () => {
      await using opened = await openFolder()
      const path = await script(opened.folder, shell)
      const { status, stderr } = spawnSync(shell, ['-c', `source ${path}`], { encoding: 'utf8' })
      assert.deepEqual([status, stderr], [0, ''])
    })
  }

  it('is silent when its reader goes away, and passes the exit code on', async () => {
    await using opened = await openFolder()
    const line = `"${process.execPath}" "${bin}" config explain --json | head -1; echo "\${PIPESTATUS[0]}"; "${process.execPath}" "${bin}" nope 2>/dev/null; echo $?`
    const { stdout, stderr } = spawnSync('bash', ['-c', line], { cwd: opened.folder, encoding: 'utf8' })
    assert.deepEqual([stdout, stderr], ['[\n0\n2\n', ''])
  })

  it('speaks without colours when NO_COLOR is set, with them when FORCE_COLOR is', async () => {
    await using opened = await openFolder()
    const explain = async (env: Record<string, string>) =>
      (await finished(startCommand(opened.folder, ['config', 'explain', 'http'], { env }))).stdout
    assert.ok((await explain({ FORCE_COLOR: '1' })).includes('\u001b['))
    assert.ok(!(await explain({ FORCE_COLOR: '1', NO_COLOR: '1' })).includes('\u001b['))
    assert.ok(!(await explain({})).includes('\u001b['))
  })

  it('doctor finds a fit machine and leaves nothing behind; a folder that cannot be is a failure', async () => {
    await using opened = await openFolder()
    const free = ['--set', 'http.port=0', 'grpc.port=0', 'admin.port=0']
    const good = await finished(startCommand(opened.folder, ['doctor', '--json', '--data', 'new/data', ...free]))
    const { fit, findings } = JSON.parse(good.stdout)
    assert.deepEqual([good.code, fit], [0, true], good.stdout)
    assert.ok(findings.some((each: { name: string }) => each.name === 'fsync'))
    await writeFile(join(opened.folder, 'file'), '')
    const bad = await finished(startCommand(opened.folder, ['doctor', '--data', 'file/data', ...free]))
    assert.equal(bad.code, 16)
    assert.match(bad.stdout, /^fail {2}data folder .*\n.*→ take another with --data/m)
  })

  it('graph, config and version answer without a shop', async () => {
    await using opened = await openFolder()
    const run = async (...args: readonly string[]) => await finished(startCommand(opened.folder, args))
    const graph = JSON.parse((await run('graph', '--json')).stdout) as { modules: { module: string }[] }
    assert.ok(graph.modules.some(({ module }) => module === 'edge'))
    assert.match((await run('graph', '--dot')).stdout, /^digraph plinth \{/)
    assert.match((await run('config', 'check')).stdout, /is valid/)
    assert.ok('properties' in JSON.parse((await run('config', 'schema')).stdout))
    assert.match((await run('config', 'path', '-q')).stdout, /\/plinth\.yaml\n$/)
    assert.match((await run('--version')).stdout, /^plinth \d+\.\d+\.\d+ \(Node 26/)
    assert.match((await run('help', 'exit-codes')).stdout, /^ {2}21 {2}unavailable/m)
  })
})
