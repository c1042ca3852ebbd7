import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSystemRandom, Secret, systemClock } from '@plinth/base'
import { openScope, withScope } from '@plinth/concurrency'
import fc from 'fast-check'
import { createPasswordHasher } from './password-hasher.ts'
import { formatPasswordHash, parsePasswordHash } from './password-parameters.ts'

const deps = { random: createSystemRandom(), clock: systemClock }
const cheap = { memoryKib: 8192, passes: 1, parallelism: 1 }
const password = new Secret('correct horse battery')

describe('createPasswordHasher()', () => {
  it('hash() writes the PHC string of the default parameters', async () => {
    const stored = await createPasswordHasher(deps).hash(password)
    assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  })

  it('agrees with the reference implementation of argon2', async () => {
    // phc-winner-argon2, src/test.c: version 0x13, t=2, m=2^16, p=1, "password", "somesalt".
    const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    const hasher = createPasswordHasher(deps)
    assert.equal((await hasher.verify(new Secret('password'), stored)).matches, true)
    assert.equal((await hasher.verify(new Secret('differentpassword'), stored)).matches, false)
  })

  it('hash() salts: one password has two hashes', async () => {
    const hasher = createPasswordHasher(deps, { parameters: cheap })
    assert.notEqual(await hasher.hash(password), await hasher.hash(password))
  })

  it('verify() accepts the same password in another normal form', async () => {
    const hasher = createPasswordHasher(deps, { parameters: cheap })
    const stored = await hasher.hash(new Secret('caf\u00e9 au lait'))
    assert.equal((await hasher.verify(new Secret('cafe\u0301 au lait'), stored)).matches, true)
  })

  it('verify() asks for a rehash only of a matching password with other parameters', async () => {
    const stored = await createPasswordHasher(deps, { parameters: cheap }).hash(password)
    const hasher = createPasswordHasher(deps, { parameters: { ...cheap, passes: 2 } })
    assert.deepEqual(await hasher.verify(password, stored), { matches: true, needsRehash: true })
    assert.deepEqual(await hasher.verify(new Secret('wrong'), stored), { matches: false, needsRehash: false })
  })

  it('verify() of nobody does the work and says no', async () => {
    let computed = 0
    const clock = { ...systemClock, monotonicMs: () => computed++ }
    const hasher = createPasswordHasher({ ...deps, clock }, { parameters: cheap })
    assert.deepEqual(await hasher.verify(password, undefined), { matches: false, needsRehash: false })
    assert.equal(computed, 2)
  })

  it('runs as many at once as allowed, queues as many as allowed and refuses the rest', async () => {
    const hasher = createPasswordHasher(deps, { parameters: cheap, concurrency: 1, queueMax: 2 })
    const outcomes = Promise.allSettled(Array.from({ length: 6 }, () => hasher.hash(password)))
    await Promise.resolve()
    assert.deepEqual(hasher.load, { running: 1, waiting: 2 })
    const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected')
    assert.equal(refused.length, 3)
    for (const { reason } of refused) {
      assert.equal(reason.code, 'security.hash_queue_full')
      assert.equal(reason.kind, 'exhausted')
      assert.ok(reason.retryAfterMs > 0)
    }
    assert.deepEqual(hasher.load, { running: 0, waiting: 0 })
  })

  it('lets go of a waiter whose scope ends, and serves the next', async () => {
    const hasher = createPasswordHasher(deps, { parameters: cheap, concurrency: 1, queueMax: 2 })
    const first = hasher.hash(password)
    using scope = openScope({})
    const second = withScope({ signal: scope.signal }, () => hasher.hash(password))
    const third = hasher.hash(password)
    scope.cancel(new Error('gone'))
    await assert.rejects(second, /gone/)
    await Promise.all([first, third])
    assert.deepEqual(hasher.load, { running: 0, waiting: 0 })
  })

  for (const [name, options] of [
    ['too little memory', { parameters: { ...cheap, memoryKib: 8191 } }],
    ['too much memory', { parameters: { ...cheap, memoryKib: 1_048_577 } }],
    ['no passes', { parameters: { ...cheap, passes: 0 } }],
    ['five at once', { concurrency: 5 }],
    ['none at once', { concurrency: 0 }],
    ['an endless queue', { queueMax: Infinity }],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(() => createPasswordHasher(deps, options), RangeError)
    })
  }

  it('shows a password in no error', async () => {
    const hasher = createPasswordHasher(deps, { parameters: cheap })
    await assert.rejects(hasher.verify(password, 'not a hash'), (error: Error) => {
      assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}`, /correct horse/)
      return true
    })
  })
})

describe('parsePasswordHash()', () => {
  const parameters = fc.record({
    memoryKib: fc.integer({ min: 8192, max: 1_048_576 }),
    passes: fc.integer({ min: 1, max: 20 }),
    parallelism: fc.integer({ min: 1, max: 16 }),
  })

  it('reads back what formatPasswordHash() wrote', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 64 })
    fc.assert(
      fc.property(parameters, bytes, bytes, (cost, salt, hash) => {
        const read = parsePasswordHash(formatPasswordHash({ parameters: cost, salt, hash }))
        assert.deepEqual(read.parameters, { ...cost })
        assert.deepEqual([Buffer.from(read.salt), Buffer.from(read.hash)], [Buffer.from(salt), Buffer.from(hash)])
      }),
    )
  })

  it('throws security.hash_malformed for anything else', () => {
    const almost = fc
      .tuple(fc.constantFrom('$argon2id$v=19$m=19456,t=2,p=1$', '$argon2i$v=19$', '$2b$10$', ''), fc.string())
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(fc.string({ size: 'large' }), almost), (text) => {
        assert.throws(() => parsePasswordHash(text), { code: 'security.hash_malformed' })
      }),
    )
  })

  it('refuses a stored hash that asks for more work than is allowed', () => {
    const stored = '$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    assert.throws(() => parsePasswordHash(stored), { code: 'security.hash_malformed' })
  })
})
