import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError, Secret } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import { createWebhookSigner } from './webhook-signer.ts'

const oldSecret = new Secret('the old secret, long enough')
const newSecret = new Secret('the new secret, long enough')
const body = new TextEncoder().encode('{"id":"evt_1"}')

describe('createWebhookSigner()', () => {
  it('sign() writes a signature that others can compute', () => {
    const clock = createFakeClock(1_700_000_000_000)
    const signer = createWebhookSigner({ clock, secrets: [oldSecret] })
    // printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac 'the old secret, long enough'
    assert.match(signer.sign(body), /^t=1700000000,v1=[0-9a-f]{64}$/)
    signer.verify(body, signer.sign(body))
  })

  it('verify() accepts the old secret while senders change over', () => {
    const clock = createFakeClock()
    const signature = createWebhookSigner({ clock, secrets: [oldSecret] }).sign(body)
    createWebhookSigner({ clock, secrets: [newSecret, oldSecret] }).verify(body, signature)
    const withoutOld = createWebhookSigner({ clock, secrets: [newSecret] })
    assert.throws(() => withoutOld.verify(body, signature), { code: 'security.signature_wrong' })
    const both = `${signature},${withoutOld.sign(body).split(',')[1]}`
    withoutOld.verify(body, both)
  })

  it('verify() refuses a signature outside the tolerance, both ways', async () => {
    const clock = createFakeClock()
    const signer = createWebhookSigner({ clock, secrets: [oldSecret] }, { toleranceMs: 60_000 })
    const signature = signer.sign(body)
    await clock.advance(60_000)
    signer.verify(body, signature)
    await clock.advance(1)
    assert.throws(() => signer.verify(body, signature), { code: 'security.signature_stale', kind: 'unauthenticated' })
    const ahead = createWebhookSigner({ clock: createFakeClock(clock.nowMs() + 61_000), secrets: [oldSecret] }).sign(
      body,
    )
    assert.throws(() => signer.verify(body, ahead), { code: 'security.signature_stale' })
  })

  it('verify() refuses a body or a time that was changed', () => {
    const clock = createFakeClock()
    const signer = createWebhookSigner({ clock, secrets: [oldSecret] })
    const signature = signer.sign(body)
    const wrong = { code: 'security.signature_wrong' }
    assert.throws(() => signer.verify(Uint8Array.from([...body, 32]), signature), wrong)
    assert.throws(() => signer.verify(body, signature.replace(/t=\d/, 't=9')), wrong)
  })

  it('verify() answers any header with nothing but unauthenticated', () => {
    const signer = createWebhookSigner({ clock: createFakeClock(), secrets: [oldSecret] })
    const headers = fc.oneof(
      fc.string(),
      fc.constant(undefined),
      fc
        .array(fc.oneof(fc.string(), fc.constantFrom('t=1', 't=-1', `v1=${'0'.repeat(64)}`)))
        .map((parts) => parts.join(',')),
    )
    fc.assert(
      fc.property(headers, (header) => {
        assert.throws(
          () => signer.verify(body, header),
          (error) => PlatformError.is(error) && error.kind === 'unauthenticated',
        )
      }),
    )
  })

  it('refuses no secrets, too many, short ones and a tolerance out of bounds', () => {
    const clock = createFakeClock()
    assert.throws(() => createWebhookSigner({ clock, secrets: [] }), RangeError)
    assert.throws(() => createWebhookSigner({ clock, secrets: Array(9).fill(oldSecret) }), RangeError)
    assert.throws(() => createWebhookSigner({ clock, secrets: [new Secret('short')] }), RangeError)
    assert.throws(() => createWebhookSigner({ clock, secrets: [oldSecret] }, { toleranceMs: 10 }), RangeError)
  })
})
