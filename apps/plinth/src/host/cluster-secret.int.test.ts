import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createSystemRandom, Secret } from '@plinth/base'
import { readClusterSecret } from './cluster-secret.ts'

async function createPlace() {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-secret-'))
  return {
    dir,
    random: createSystemRandom(),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  }
}

describe('readClusterSecret()', () => {
  it('makes one secret, whoever asks first, and keeps it for its owner only', async () => {
    await using place = await createPlace()
    const secrets = await Promise.all(Array.from({ length: 8 }, () => readClusterSecret(undefined, place)))
    const again = await readClusterSecret(undefined, place)
    assert.deepEqual([...new Set(secrets.map((secret) => secret.reveal()))], [again.reveal()])
    assert.equal(again.reveal().length, 64)
    assert.deepEqual(await readdir(place.dir), ['cluster.secret'])
    assert.equal((await stat(join(place.dir, 'cluster.secret'))).mode & 0o777, 0o600)
  })

  it('takes the configured one and makes no file', async () => {
    await using place = await createPlace()
    const configured = new Secret('x'.repeat(32))
    assert.equal(await readClusterSecret(configured, place), configured)
    assert.deepEqual(await readdir(place.dir), [])
  })

  it('refuses a file that is cut short rather than trusting half a secret', async () => {
    await using place = await createPlace()
    await writeFile(join(place.dir, 'cluster.secret'), 'half')
    await assert.rejects(readClusterSecret(undefined, place), /cut short; remove it and start again/)
  })
})
