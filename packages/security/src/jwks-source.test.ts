import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import { createJwksSource } from './jwks-source.ts'
import { createSigningKey, type PublicJwk, publicJwkOf } from './signing-key.ts'

function setUp() {
  const clock = createFakeClock()
  const issuer = { keys: [publicJwkOf(createSigningKey(0))] as PublicJwk[], fetches: 0, isDown: false }
  const source = createJwksSource({
    clock,
    fetchKeys: async () => {
      issuer.fetches++
      if (issuer.isDown) throw new Error('issuer down')
      return issuer.keys
    },
  })
  return { clock, issuer, source }
}

const kidOf = (issuer: { keys: PublicJwk[] }, at: number) => issuer.keys[at]?.kid ?? assert.fail()

describe('createJwksSource()', () => {
  it('find() fetches once for all who wait, then answers from memory', async () => {
    const { issuer, source } = setUp()
    const kid = kidOf(issuer, 0)
    const [one, two] = await Promise.all([source.find(kid), source.find(kid)])
    assert.ok(one)
    assert.equal(one, two)
    assert.ok(!(source.find(kid) instanceof Promise))
    assert.equal(issuer.fetches, 1)
  })

  it('find() fetches again for an unknown key, at most once per cooldown', async () => {
    const { clock, issuer, source } = setUp()
    await source.find(kidOf(issuer, 0))
    for (let at = 0; at < 100; at++) await source.find(`made-up-${at}`)
    assert.equal(issuer.fetches, 1)
    issuer.keys = [...issuer.keys, publicJwkOf(createSigningKey(1))]
    await clock.advance(5000)
    assert.ok(await source.find(kidOf(issuer, 1)))
    assert.equal(issuer.fetches, 2)
  })

  it('goes on with the keys at hand while the issuer is down', async () => {
    const { clock, issuer, source } = setUp()
    await source.find(kidOf(issuer, 0))
    issuer.isDown = true
    await clock.advance(3_600_000)
    assert.ok(await source.find(kidOf(issuer, 0)))
  })

  it('throws what the fetch threw when it has no keys at all', async () => {
    const { issuer, source } = setUp()
    issuer.isDown = true
    await assert.rejects(async () => source.find('any'), /issuer down/)
    issuer.isDown = false
    assert.ok(await source.find(kidOf(issuer, 0)))
  })

  it('drops a withdrawn key at the next fetch and tells caches', async () => {
    const { clock, issuer, source } = setUp()
    const kid = kidOf(issuer, 0)
    await source.find(kid)
    const { version } = source
    issuer.keys = [publicJwkOf(createSigningKey(1))]
    await clock.advance(300_000)
    await source.find(kidOf(issuer, 0))
    assert.equal(await source.find(kid), undefined)
    assert.ok(source.version > version)
  })
})
