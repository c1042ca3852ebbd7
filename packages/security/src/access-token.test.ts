import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError, type Secret } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import { SignJWT, UnsecuredJWT } from 'jose'
import { createAccessTokenSigner, createAccessTokenVerifier, type TokenVerifierOptions } from './access-token.ts'
import { openKeyRing } from './key-ring.ts'
import { createMemoryKeyStore } from './key-store.ts'
import { createRevocationList } from './revocation-list.ts'

async function setUp(options: TokenVerifierOptions = {}) {
  const clock = createFakeClock()
  const keys = await openKeyRing({ store: createMemoryKeyStore(), clock })
  const revocations = createRevocationList({ clock })
  const signer = createAccessTokenSigner({ keys })
  const verifier = createAccessTokenVerifier({ keys, clock, revocations }, options)
  const claims = () => ({
    subject: 'user-1',
    sessionId: 'session-1',
    roles: ['customer'],
    tokenId: 'token-1',
    issuedAtMs: clock.nowMs(),
  })
  return {
    clock,
    keys,
    revocations,
    signer,
    verifier,
    claims,
    sign: async () => (await signer.sign(claims())).token.reveal(),
    /** Signs anything with the real key: only the claims or the header are wrong then. */
    forge(payload: object, header: object = {}) {
      const { kid, key } = keys.signingKey()
      const iat = clock.nowMs() / 1000
      const whole = {
        iss: 'plinth',
        aud: 'plinth',
        sub: 'u',
        sid: 's',
        jti: 't',
        roles: ['customer'],
        iat,
        exp: iat + 60,
      }
      return new SignJWT({ ...whole, ...payload })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid, ...header })
        .sign(key)
    },
    async [Symbol.asyncDispose]() {
      await keys[Symbol.asyncDispose]()
    },
  }
}

const refusedAs = (code: string) => ({ kind: 'unauthenticated', code: `security.${code}` })

describe('createAccessTokenSigner()', () => {
  it('sign() writes the claims of RFC 9068 and gives the same token for the same claims', async () => {
    await using world = await setUp()
    const { token, expiresAtMs } = await world.signer.sign(world.claims())
    const [header, payload] = token
      .reveal()
      .split('.', 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
    assert.deepEqual(header, { alg: 'EdDSA', typ: 'at+jwt', kid: world.keys.signingKey().kid })
    const iat = world.clock.nowMs() / 1000
    assert.deepEqual(payload, {
      iss: 'plinth',
      aud: 'plinth',
      sub: 'user-1',
      client_id: 'plinth',
      sid: 'session-1',
      jti: 'token-1',
      roles: ['customer'],
      iat,
      exp: iat + 600,
    })
    assert.equal(expiresAtMs, (iat + 600) * 1000)
    assert.equal((await world.signer.sign(world.claims())).token.reveal(), token.reveal())
  })
})

describe('createAccessTokenVerifier()', () => {
  it('verify() answers the claims, the second time without a promise', async () => {
    await using world = await setUp()
    const token = await world.sign()
    const first = await world.verifier.verify(token)
    assert.deepEqual(
      { ...first, roles: [...first.roles] },
      { ...world.claims(), expiresAtMs: first.issuedAtMs + 600_000 },
    )
    assert.equal(world.verifier.verify(token), first)
  })

  it('verify() shares the work of callers who ask at once', async () => {
    await using world = await setUp()
    const token = await world.sign()
    const [one, two] = await Promise.all([world.verifier.verify(token), world.verifier.verify(token)])
    assert.equal(one, two)
  })

  it('verify() refuses an expired token, remembered or not, and allows the skew', async () => {
    await using world = await setUp({ skewMs: 5000 })
    const token = await world.sign()
    await world.clock.advance(604_000)
    await world.verifier.verify(token)
    await world.clock.advance(1000)
    await assert.rejects(async () => world.verifier.verify(token), refusedAs('token_expired'))
  })

  it('verify() refuses a token from the future', async () => {
    await using world = await setUp()
    const iat = world.clock.nowMs() / 1000 + 6
    const token = await world.forge({ iat, exp: iat + 60 })
    await assert.rejects(async () => world.verifier.verify(token), refusedAs('token_invalid'))
  })

  it('verify() refuses a remembered token once its session is revoked', async () => {
    await using world = await setUp()
    const token = await world.sign()
    await world.verifier.verify(token)
    world.revocations.revoke('session-1', world.clock.nowMs())
    await assert.rejects(async () => world.verifier.verify(token), refusedAs('token_revoked'))
    assert.throws(() => world.verifier.peek(token), refusedAs('token_revoked'))
  })

  it('verify() refuses a remembered token once its key is gone', async () => {
    await using world = await setUp()
    const token = await world.sign()
    await world.verifier.verify(token)
    await world.keys.rotate({ discardOld: true })
    await assert.rejects(async () => world.verifier.verify(token), refusedAs('key_unknown'))
  })

  const wrong: readonly (readonly [string, object, object, string])[] = [
    ['another issuer', { iss: 'someone' }, {}, 'token_invalid'],
    ['another audience', { aud: 'other' }, {}, 'token_invalid'],
    ['no subject', { sub: undefined }, {}, 'token_invalid'],
    ['a subject that is no string', { sub: 5 }, {}, 'token_invalid'],
    ['no session', { sid: undefined }, {}, 'token_invalid'],
    ['no roles', { roles: [] }, {}, 'token_invalid'],
    ['roles that are no list', { roles: 'operator' }, {}, 'token_invalid'],
    ['too many roles', { roles: Array(33).fill('r') }, {}, 'token_invalid'],
    ['no expiry', { exp: undefined }, {}, 'token_invalid'],
    ['an expiry that is no number', { exp: 'never' }, {}, 'token_invalid'],
    ['a not-before in the future', { nbf: 4e9 }, {}, 'token_invalid'],
    ['the type of an id token', {}, { typ: 'JWT' }, 'token_invalid'],
    ['no type', {}, { typ: undefined }, 'token_invalid'],
    ['an unknown key', {}, { kid: 'other' }, 'key_unknown'],
    ['no key id', {}, { kid: undefined }, 'key_unknown'],
  ]
  for (const [what, payload, header, code] of wrong) {
    it(`verify() refuses a signed token with ${what}`, async () => {
      await using world = await setUp()
      const token = await world.forge(payload, header)
      await assert.rejects(async () => world.verifier.verify(token), refusedAs(code))
    })
  }

  it('verify() refuses algorithms that are not on the list', async () => {
    await using world = await setUp()
    const payload = {
      iss: 'plinth',
      aud: 'plinth',
      sub: 'u',
      sid: 's',
      jti: 't',
      roles: ['operator'],
      iat: 1,
      exp: 9e9,
    }
    const { kid, x } = world.keys.publicKeys()[0] ?? assert.fail()
    // The classic confusion: the public key used as the secret of an HMAC.
    const confused = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid })
      .sign(Buffer.from(x, 'base64url'))
    await assert.rejects(async () => world.verifier.verify(confused), refusedAs('token_invalid'))
    const unsigned = new UnsecuredJWT(payload).encode()
    await assert.rejects(async () => world.verifier.verify(unsigned), refusedAs('token_malformed'))
    await assert.rejects(async () => world.verifier.verify(`${unsigned}AAAA`), { kind: 'unauthenticated' })
  })

  it('verify() refuses a token past the length limit without looking at it', async () => {
    await using world = await setUp({ tokenCharsMax: 256 })
    await assert.rejects(async () => world.verifier.verify(await world.sign()), refusedAs('token_malformed'))
  })

  it('verify() takes one spelling of a signature: its left-over bits are zero', async () => {
    await using world = await setUp()
    const token = await world.sign()
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const outcomes = await Promise.all(
      Array.from(alphabet, async (last) => {
        const spelled = token.slice(0, -1) + last
        const accept = async () => void (await world.verifier.verify(spelled))
        return accept().then(
          () => spelled,
          () => '',
        )
      }),
    )
    assert.deepEqual(outcomes.filter(Boolean), [token])
  })

  it('verify() answers any string with nothing but unauthenticated', async () => {
    await using world = await setUp()
    const token = await world.sign()
    const part = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
      fc
        .record({
          alg: fc.constantFrom('EdDSA', 'none', 'HS256', 5),
          typ: fc.constant('at+jwt'),
          kid: fc.anything(),
          crit: fc.anything(),
        })
        .map((header) => Buffer.from(fc.stringify(header)).toString('base64url')),
      fc.constantFrom(...token.split('.')),
    )
    const mutated = fc
      .tuple(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 2 }))
      .map(([at, text]) => token.slice(0, at) + text + token.slice(at + 1))
      .filter((candidate) => candidate !== token)
    const candidates = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
      mutated,
    )
    await fc.assert(
      fc.asyncProperty(candidates, async (candidate) => {
        if (candidate === token) return
        const outcome = await Promise.resolve()
          .then(() => world.verifier.verify(candidate))
          .catch((error: unknown) => error)
        assert.ok(PlatformError.is(outcome), `accepted or broken: ${candidate}`)
        assert.equal(outcome.kind, 'unauthenticated')
      }),
      { numRuns: 500 },
    )
  })

  it('keeps its memory bounded', async () => {
    await using world = await setUp({ cacheMax: 4 })
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, at) => world.signer.sign({ ...world.claims(), tokenId: `t${at}` })),
    )
    for (const { token } of tokens) await world.verifier.verify(token.reveal())
    const remembered = tokens.filter(({ token }: { token: Secret }) => world.verifier.peek(token.reveal()))
    assert.ok(remembered.length >= 1 && remembered.length <= 4, String(remembered.length))
  })
})
