import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { PlatformError, systemClock } from '@plinth/base'
import { type ConfigChange, createFileSource, defineConfig, integer, loadConfiguration, secret } from '../index.ts'

const demo = defineConfig('demo', {
  count: integer({ default: 1, min: 0, max: 100, describe: 'Count' }),
  token: secret({ optional: true, describe: 'Token' }),
})

describe('file source', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-config-'))
  })
  after(() => rm(folder, { recursive: true }))
  const deps = { clock: systemClock }

  it('createFileSource() tells a missing file from an empty one, a huge one and one that is no text', async () => {
    const { signal } = new AbortController()
    const read = (name: string, options: { required?: boolean } = {}) =>
      createFileSource(deps, { path: join(folder, name), ...options }).read(signal)
    await writeFile(join(folder, 'empty.yaml'), '')
    await writeFile(join(folder, 'huge.yaml'), Buffer.alloc(1024 * 1024 + 1, 'a'))
    await writeFile(join(folder, 'binary.yaml'), Buffer.from([0xff, 0xfe, 0]))
    const messages = await Promise.all(
      ['no.yaml', 'empty.yaml', 'huge.yaml', 'binary.yaml', ''].map(
        async (name) => (await read(name)).problems[0]?.message,
      ),
    )
    assert.deepEqual(messages, [
      'does not exist',
      undefined,
      'has more than 1048576 bytes',
      'is not UTF-8',
      'cannot be read: EISDIR',
    ])
    assert.deepEqual((await read('no.yaml', { required: false })).problems, [])
    assert.throws(() => createFileSource(deps, { path: 'x.yaml', debounceMs: -1 }), RangeError)
    using _nothing = createFileSource(deps, { path: join(folder, 'no', 'folder.yaml') }).watch?.(() => {})
  })

  it('Configuration.watch() reloads when the file is rewritten, replaced or broken, and keeps what was good', async () => {
    const path = join(folder, 'live.yaml')
    await writeFile(path, 'demo: { count: 2 }')
    const source = createFileSource(deps, { path, debounceMs: 20 })
    const configuration = await loadConfiguration(deps, { definitions: [demo], sources: [source] })
    const outcomes: (ConfigChange | PlatformError)[] = []
    let arrived = Promise.withResolvers<ConfigChange | PlatformError>()
    using _watching = configuration.watch((outcome) => {
      outcomes.push(outcome)
      if (PlatformError.is(outcome) || outcome.changes.length > 0) arrived.resolve(outcome)
    })
    const next = async (change: () => Promise<void>) => {
      arrived = Promise.withResolvers()
      await change()
      return await arrived.promise
    }
    await next(() => writeFile(path, 'demo: { count: 3 }'))
    assert.equal(configuration.section(demo).current.count, 3)
    await next(async () => {
      await writeFile(`${path}.new`, 'demo: { count: 4 }')
      await rename(`${path}.new`, path)
    })
    assert.equal(configuration.section(demo).current.count, 4)
    const broken = await next(() => writeFile(path, 'demo: { count: many }'))
    assert.equal((broken as PlatformError).code, 'kernel.config_invalid')
    assert.equal(configuration.section(demo).current.count, 4)
  })

  it('loadConfiguration() reads a secret from a file without its line end', async () => {
    const tokenPath = join(folder, 'token')
    await writeFile(tokenPath, 's3cret\n')
    await writeFile(join(folder, 'secret.json'), JSON.stringify({ demo: { token: { $secret: { file: tokenPath } } } }))
    const source = createFileSource(deps, { path: join(folder, 'secret.json') })
    const configuration = await loadConfiguration(deps, { definitions: [demo], sources: [source] })
    assert.equal(configuration.section(demo).current.token?.reveal(), 's3cret')
    await writeFile(tokenPath, 'rotated\n')
    const { changes } = await configuration.reload()
    assert.deepEqual(
      changes.map(({ from, to }) => [from, to]),
      [['[secret]', '[secret]']],
    )
    await writeFile(tokenPath, Buffer.alloc(70_000, 'a'))
    await assert.rejects(configuration.reload(), /more than 65536 bytes/)
  })
})
