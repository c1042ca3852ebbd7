import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { finished, startCommand } from './cli.fixture.ts'

const root = join(import.meta.dirname, '..', '..', '..')

/** A copy of what is committed, that uses what is installed here. */
async function openCopy() {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-copy-'))
  const copy = join(folder, 'plinth')
  run(folder, 'git', ['clone', '--quiet', '--local', root, copy])
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  return { folder, copy, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

function run(cwd: string, program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', env: cleanEnvironment() })
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`)
  return stdout
}

/** A test runner inside a test runner would report to the outer one. */
function cleanEnvironment() {
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  return environment
}

describe('plinth new service', () => {
  it('writes a service that compiles, passes its tests and the rules of the house', async () => {
    await using opened = await openCopy()
    const { folder, copy } = opened
    const made = await finished(startCommand(folder, ['new', 'service', 'parcels', '--root', copy, '--json']))
    assert.equal(made.code, 0, made.stderr)
    const { files, changed } = JSON.parse(made.stdout) as { files: readonly string[]; changed: readonly string[] }
    assert.deepEqual(changed, ['buf.yaml'])
    assert.match(await readFile(join(copy, 'buf.yaml'), 'utf8'), /path: services\/parcels\/contract\n/)
    const touched = run(copy, 'git', ['diff', '--name-only']).split('\n')
    assert.ok(!touched.some((path) => path.startsWith('apps/') || path.startsWith('tools/')))

    const types = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], {
      cwd: copy,
      encoding: 'utf8',
    })
    assert.doesNotMatch(types.stdout, /^services\/parcels\//m)
    const tests = run(copy, process.execPath, ['--test', 'services/parcels/**/*.test.ts'])
    assert.match(tests, /pass 4\b/)
    const tidy = spawnSync(process.execPath, ['tools/tidy/main.ts'], { cwd: copy, encoding: 'utf8' })
    const findings = `${tidy.stdout}${tidy.stderr}`.split('\n').filter((line) => line.includes('services/parcels'))
    // What is left is what the printed steps ask for: a floor, the lock file and the golden files.
    const unforeseen = findings.filter((line) => !/floor|golden|lock|is not installed|tools\/tidy/.test(line))
    assert.deepEqual(unforeseen, [])
    assert.ok(files.includes('services/parcels/contract/plinth/parcels/v1/parcels.proto'))

    const again = await finished(startCommand(folder, ['new', 'service', 'parcels', '--root', copy]))
    assert.deepEqual([again.code, /is there already/.test(again.stderr)], [15, true])
    const outside = await finished(startCommand(folder, ['new', 'service', 'parcels', '--root', folder]))
    assert.deepEqual([outside.code, /no working copy/.test(outside.stderr)], [16, true])
  })
})
