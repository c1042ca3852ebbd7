import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createIds, createSeededRandom, Secret } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { createAccessTokenSigner, createAccessTokenVerifier } from './access-token.ts'
import { createBearerAuthenticator } from './bearer-authenticator.ts'
import { openKeyRing } from './key-ring.ts'
import { createMemoryKeyStore } from './key-store.ts'
import { createServiceTokens } from './service-token.ts'

const clusterSecret = new Secret('0123456789abcdef0123456789abcdef')

function setUp(secret = clusterSecret) {
  const clock = createFakeClock()
  const ids = createIds({ clock, random: createSeededRandom(1) })
  return { clock, ids, tokens: createServiceTokens({ secret, clock, ids }) }
}

describe('createServiceTokens()', () => {
  it('issue() repeats a token for half of its life, and each verifies', async () => {
    const { clock, tokens } = setUp()
    const first = await tokens.issue('orders')
    await clock.advance(29_000)
    assert.equal(await tokens.issue('orders'), first)
    await clock.advance(1000)
    const second = await tokens.issue('orders')
    assert.notEqual(second.reveal(), first.reveal())
    for (const token of [first, second]) assert.equal((await tokens.verify(token.reveal())).service, 'orders')
    await clock.advance(40_000)
    await assert.rejects(async () => tokens.verify(first.reveal()), { code: 'security.token_expired' })
  })

  it('verify() refuses a token made with another secret', async () => {
    const stranger = await setUp(new Secret('another secret of thirty-two chars!')).tokens.issue('orders')
    await assert.rejects(async () => setUp().tokens.verify(stranger.reveal()), { code: 'security.token_invalid' })
  })

  it('refuses a short secret and a name that is not a service', () => {
    assert.throws(() => setUp(new Secret('short')), RangeError)
    assert.throws(() => setUp().tokens.issue('Orders; drop table'), TypeError)
  })
})

describe('createBearerAuthenticator()', () => {
  async function world() {
    const { clock, tokens } = setUp()
    const keys = await openKeyRing({ store: createMemoryKeyStore(), clock })
    const authenticator = createBearerAuthenticator({
      access: createAccessTokenVerifier({ keys, clock }),
      services: tokens,
    })
    const { token } = await createAccessTokenSigner({ keys }).sign({
      subject: 'u1',
      sessionId: 's1',
      roles: ['customer'],
      tokenId: 't1',
      issuedAtMs: clock.nowMs(),
    })
    const authenticate = (value?: string) =>
      authenticator.authenticate(new Map(value === undefined ? [] : [['authorization', value]]))
    return { keys, authenticate, user: token.reveal(), service: (await tokens.issue('orders')).reveal() }
  }

  it('authenticate() tells users from services, the second time without a promise', async () => {
    const { keys, authenticate, user, service } = await world()
    const expected = [
      { id: 'u1', roles: ['customer'], sessionId: 's1' },
      { id: 'orders', roles: ['service'] },
    ]
    const answers = async () =>
      JSON.parse(JSON.stringify([await authenticate(`Bearer ${user}`), await authenticate(`bearer  ${service} `)]))
    assert.deepEqual(await answers(), expected)
    assert.ok(!(authenticate(`Bearer ${user}`) instanceof Promise))
    assert.deepEqual(await answers(), expected)
    await keys[Symbol.asyncDispose]()
  })

  it('authenticate() answers undefined without a header and refuses one of another scheme', async () => {
    const { keys, authenticate } = await world()
    assert.equal(authenticate(), undefined)
    for (const header of ['', 'Basic dTpw', 'Bearer', 'token']) {
      assert.throws(() => authenticate(header), { code: 'security.credentials_malformed' })
    }
    await assert.rejects(async () => authenticate('Bearer '), { kind: 'unauthenticated' })
    await keys[Symbol.asyncDispose]()
  })
})
