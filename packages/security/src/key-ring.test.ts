import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import { openKeyRing } from './key-ring.ts'
import { createMemoryKeyStore, type KeyStore } from './key-store.ts'

const hourMs = 3_600_000
const options = { rotateAfterMs: 24 * hourMs, publishAheadMs: hourMs, overlapMs: 2 * hourMs, checkEveryMs: 60_000 }

async function openRing(store: KeyStore = createMemoryKeyStore()) {
  const clock = createFakeClock()
  return { clock, store, ring: await openKeyRing({ store, clock }, options) }
}

describe('openKeyRing()', () => {
  it('makes the first key, which signs at once', async () => {
    const { ring } = await openRing()
    const [published] = ring.publicKeys()
    assert.equal(ring.signingKey().kid, published?.kid)
    assert.deepEqual(
      { ...published, x: '', kid: '' },
      { kty: 'OKP', crv: 'Ed25519', x: '', kid: '', use: 'sig', alg: 'EdDSA' },
    )
    await ring[Symbol.asyncDispose]()
  })

  it('rotates by age: publishes ahead, then signs, then drops the old key', async () => {
    const { ring, clock } = await openRing()
    const first = ring.signingKey().kid
    await clock.advance(24 * hourMs)
    assert.equal(ring.publicKeys().length, 2)
    assert.equal(ring.signingKey().kid, first, 'published ahead')
    await clock.advance(hourMs)
    const second = ring.signingKey().kid
    assert.notEqual(second, first)
    assert.ok(ring.find(first), 'overlap')
    const { version } = ring
    await clock.advance(2 * hourMs)
    assert.equal(ring.find(first), undefined)
    assert.ok(ring.version > version, 'caches must let go')
    assert.equal(ring.signingKey().kid, second)
    await ring[Symbol.asyncDispose]()
  })

  it('agrees with another process on the same store without a restart', async () => {
    const clock = createFakeClock()
    const store = createMemoryKeyStore()
    await using one = await openKeyRing({ store, clock }, options)
    await using two = await openKeyRing({ store, clock }, options)
    assert.equal(one.signingKey().kid, two.signingKey().kid)
    await clock.advance(25 * hourMs)
    assert.equal(one.publicKeys().length, 2, 'one new key, not one each')
    assert.equal(one.signingKey().kid, two.signingKey().kid)
  })

  it('rotate() that discards the old ones signs with the new key at once', async () => {
    const { ring } = await openRing()
    const leaked = ring.signingKey().kid
    await ring.rotate({ discardOld: true })
    assert.equal(ring.find(leaked), undefined)
    assert.notEqual(ring.signingKey().kid, leaked)
    await ring[Symbol.asyncDispose]()
  })

  it('goes on with its keys when the store fails, and announces it', async (t) => {
    const memory = createMemoryKeyStore()
    let isBroken = false
    const store: KeyStore = {
      load: memory.load,
      update: (change) => (isBroken ? Promise.reject(new Error('disk')) : memory.update(change)),
    }
    const { ring, clock } = await openRing(store)
    const heard: unknown[] = []
    const listener = (message: unknown) => heard.push(message)
    subscribe('plinth:security:key_ring_failed', listener)
    t.after(() => unsubscribe('plinth:security:key_ring_failed', listener))
    isBroken = true
    await clock.advance(3 * 60_000)
    assert.equal(heard.length, 3)
    assert.ok(ring.signingKey())
    await ring[Symbol.asyncDispose]()
  })

  it('leaves no timer behind', async () => {
    const { ring, clock } = await openRing()
    await ring[Symbol.asyncDispose]()
    assert.equal(clock.pendingTimers, 0)
  })

  it('refuses options out of bounds, naming all of them', async () => {
    const deps = { store: createMemoryKeyStore(), clock: createFakeClock() }
    const wrong = { rotateAfterMs: 1, overlapMs: -1, checkEveryMs: 0 }
    await assert.rejects(openKeyRing(deps, wrong), /rotateAfterMs.*publishAheadMs.*overlapMs.*checkEveryMs/)
  })
})
