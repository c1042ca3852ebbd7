import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSeededRandom, Secret } from '@plinth/base'
import fc from 'fast-check'
import { equalInConstantTime } from './constant-time.ts'
import { createOpaqueToken, hashOpaqueToken, openForHolder, sealForHolder } from './opaque-token.ts'

const random = createSeededRandom(7)
const purpose = 'successor'

describe('createOpaqueToken()', () => {
  it('never repeats and refuses an odd prefix', () => {
    const tokens = new Set(Array.from({ length: 1000 }, () => createOpaqueToken(random, 'rt').reveal()))
    assert.equal(tokens.size, 1000)
    for (const prefix of ['', 'RT', 'a_b', 'x'.repeat(17)]) {
      assert.throws(() => createOpaqueToken(random, prefix), TypeError)
    }
  })
})

describe('sealForHolder()', () => {
  it('opens for the same token and purpose alone', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (plain) => {
        const token = createOpaqueToken(random, 'rt')
        const sealed = sealForHolder(token, plain, { purpose, random })
        assert.deepEqual(new Uint8Array(openForHolder(token, sealed, { purpose })), plain)
        const broken = { code: 'security.seal_broken' }
        assert.throws(() => openForHolder(createOpaqueToken(random, 'rt'), sealed, { purpose }), broken)
        assert.throws(() => openForHolder(token, sealed, { purpose: 'other' }), broken)
      }),
      { numRuns: 50 },
    )
  })

  it('cannot be opened with what the database holds', () => {
    const token = createOpaqueToken(random, 'rt')
    const sealed = sealForHolder(token, new Uint8Array(5), { purpose, random })
    const fromDatabase = new Secret(hashOpaqueToken(token))
    assert.throws(() => openForHolder(fromDatabase, sealed, { purpose }), { code: 'security.seal_broken' })
  })

  it('notices every changed byte and every cut', () => {
    const token = createOpaqueToken(random, 'rt')
    const sealed = sealForHolder(token, new TextEncoder().encode('rt_next'), { purpose, random })
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed)
      changed[at] = (changed[at] as number) ^ 1
      for (const bytes of [changed, sealed.subarray(0, at)]) {
        assert.throws(() => openForHolder(token, bytes, { purpose }), { code: 'security.seal_broken' })
      }
    }
  })
})

describe('equalInConstantTime()', () => {
  it('agrees with ===', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => equalInConstantTime(a, b) === (a === b)))
    fc.assert(fc.property(fc.string(), (a) => equalInConstantTime(a, a)))
  })
})
