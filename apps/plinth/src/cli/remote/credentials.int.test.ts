import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createSystemRandom, systemClock } from '@plinth/base'
import { type Login, openCredentials } from './credentials.ts'

const deps = { clock: systemClock, random: createSystemRandom() }
const login: Login = {
  email: 'ada@example.com',
  userId: 'u',
  sessionId: 's',
  accessToken: 'a0',
  accessExpiresAtMs: 1,
  refreshToken: 'r0',
  refreshExpiresAtMs: 2,
}

async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-credentials-'))
  const path = join(folder, 'plinth', 'credentials.json')
  return {
    path,
    credentials: openCredentials(deps, path),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

describe('openCredentials()', () => {
  it('keeps logins by server and name, in a file and folder that only the owner can read', async () => {
    await using opened = await openFolder()
    const { credentials, path } = opened
    assert.equal(await credentials.read({ server: 'a:1', name: 'default' }), undefined)
    await credentials.update({ server: 'a:1', name: 'default' }, async () => login)
    await credentials.update({ server: 'a:1', name: 'boss' }, async () => ({ ...login, email: 'boss' }))
    assert.deepEqual(await credentials.read({ server: 'a:1', name: 'default' }), login)
    assert.equal((await credentials.read({ server: 'a:1', name: 'boss' }))?.email, 'boss')
    assert.equal(await credentials.read({ server: 'b:1', name: 'default' }), undefined)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await stat(join(path, '..'))).mode & 0o777, 0o700)
    await credentials.update({ server: 'a:1', name: 'boss' }, async () => undefined)
    assert.equal(await credentials.read({ server: 'a:1', name: 'boss' }), undefined)
    assert.deepEqual(await readdir(join(path, '..')), ['credentials.json'])
  })

  it('loses no update of twenty at once', async () => {
    await using opened = await openFolder()
    const all = Array.from({ length: 20 }, () => openCredentials(deps, opened.path))
    await Promise.all(
      all.map((each) =>
        each.update({ server: 'a:1', name: 'default' }, async (before) => ({
          ...login,
          refreshExpiresAtMs: (before?.refreshExpiresAtMs ?? 0) + 1,
        })),
      ),
    )
    assert.equal((await opened.credentials.read({ server: 'a:1', name: 'default' }))?.refreshExpiresAtMs, 20)
  })

  it('takes over the lock of a process that died, and one that is too old to be held', async () => {
    await using opened = await openFolder()
    const { credentials, path } = opened
    const key = { server: 'a:1', name: 'default' }
    await credentials.update(key, async () => login)
    // No process has this number: the largest Linux gives is 2^22.
    await writeFile(`${path}.lock`, '99999999 x')
    await credentials.update(key, async () => ({ ...login, accessToken: 'a1' }))
    await writeFile(`${path}.lock`, `${process.pid} y`)
    const old = new Date(Date.now() - 120_000)
    await utimes(`${path}.lock`, old, old)
    await credentials.update(key, async () => ({ ...login, accessToken: 'a2' }))
    assert.equal((await credentials.read(key))?.accessToken, 'a2')
  })

  it('keeps the old file when the change fails, and names a broken one', async () => {
    await using opened = await openFolder()
    const { credentials, path } = opened
    const key = { server: 'a:1', name: 'default' }
    await credentials.update(key, async () => login)
    const before = await readFile(path, 'utf8')
    const failing = credentials.update(key, () => Promise.reject(new Error('no')))
    await assert.rejects(failing, { message: 'no' })
    assert.equal(await readFile(path, 'utf8'), before)
    await writeFile(path, before.slice(0, -20))
    await assert.rejects(credentials.read(key), { code: 'plinth.credentials_broken' })
  })
})
