import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { createFileKeyStore } from './file-key-store.ts'
import { createSigningKey } from './signing-key.ts'
import { describeKeyStore } from './testing.ts'

async function temporaryFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-keys-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

describeKeyStore('file', async () => {
  const { folder, [Symbol.asyncDispose]: dispose } = await temporaryFolder()
  return { open: () => createFileKeyStore({ folder: join(folder, 'keys') }), [Symbol.asyncDispose]: dispose }
})

describe('createFileKeyStore()', () => {
  it('lets nobody but the owner read, and empties what it replaced', async () => {
    await using place = await temporaryFolder()
    const folder = join(place.folder, 'keys')
    const store = createFileKeyStore({ folder })
    for (let at = 0; at < 3; at++) await store.update((keys) => [...keys, createSigningKey(at)])
    assert.equal((await stat(folder)).mode & 0o777, 0o700)
    const files = (await readdir(folder)).sort()
    assert.deepEqual(files, ['keys.0000000001.json', 'keys.0000000002.json', 'keys.0000000003.json'])
    const facts = await Promise.all(files.map((file) => stat(join(folder, file))))
    for (const { mode } of facts) assert.equal(mode & 0o777, 0o600)
    assert.deepEqual(
      facts.map(({ size }) => size > 0),
      [false, false, true],
    )
  })

  it('ignores the draft of a writer that died', async () => {
    await using place = await temporaryFolder()
    const store = createFileKeyStore(place)
    await writeFile(join(place.folder, 'draft.1.0'), '{"version":1,"ke')
    assert.deepEqual(await store.load(), [])
  })

  for (const [what, text] of [
    ['an empty file', ''],
    ['half a file', '{"version":1,"keys":[{"kid":"'],
    ['another version', '{"version":2,"keys":[]}'],
    ['a key without its half', '{"version":1,"keys":[{"kid":"a","createdAtMs":1}]}'],
    ['a null key', '{"version":1,"keys":[null]}'],
    ['null', 'null'],
  ] as const) {
    it(`refuses ${what} and leaves it alone`, async () => {
      await using place = await temporaryFolder()
      const path = join(place.folder, 'keys.0000000001.json')
      await writeFile(path, text)
      const store = createFileKeyStore(place)
      await assert.rejects(store.load(), { code: 'security.keys_unreadable' })
      await assert.rejects(
        store.update((keys) => keys),
        { code: 'security.keys_unreadable' },
      )
      assert.equal(await readFile(path, 'utf8'), text)
    })
  }

  it('does not quote a key when the file is broken', async () => {
    await using place = await temporaryFolder()
    const marker = 'MARKER-private-half'
    await writeFile(join(place.folder, 'keys.0000000001.json'), `{"version":1,"keys":[{"d":"${marker}"`)
    const error = await createFileKeyStore(place)
      .load()
      .catch((reason: unknown) => reason)
    assert.doesNotMatch(inspect(error, { depth: 10 }), new RegExp(marker))
  })

  it('loses no key of four processes that write at once', { timeout: 30_000 }, async () => {
    await using place = await temporaryFolder()
    const script = `
      import { createFileKeyStore, createSigningKey } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
      const store = createFileKeyStore({ folder: process.argv[1] })
      for (let at = 0; at < 5; at++) await store.update((keys) => [...keys, createSigningKey(at)])`
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script, place.folder], { stdio: 'inherit' }),
    )
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]))
    assert.deepEqual(codes, [0, 0, 0, 0])
    assert.equal((await createFileKeyStore(place).load()).length, 20)
  })
})
