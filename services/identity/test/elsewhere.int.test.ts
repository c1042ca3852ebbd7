import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createIds, createSystemRandom, Secret, systemClock } from '@plinth/base'
import { assemble, BusKey, Clocks, clientOf, provide } from '@plinth/kernel'
import { createOutbox } from '@plinth/messaging'
import { createServiceTokens } from '@plinth/security'
import { authContract } from '../contract/index.ts'
import type { IdentitySchema } from '../src/adapters/identity-schema.ts'
import { createSqlIdentityStore } from '../src/adapters/sql-identity-store.ts'
import { AuthenticatorKey, createAuthenticatorModule } from '../src/compose.ts'
import { eventually, type IdentityFixture, startIdentity, verifiedUser } from './identity.fixture.ts'
import { sqlite } from './place.fixture.ts'

const services = createServiceTokens({
  secret: new Secret('0123456789abcdef0123456789abcdef'),
  clock: systemClock,
  ids: createIds({ clock: systemClock, random: createSystemRandom() }),
})

/** Another process's authenticator, as far as it can be had in this one: its own keys, cache and revocations. */
function startElsewhere(identity: IdentityFixture) {
  const { auth } = identity.clients({ id: 'edge', roles: ['service'] })
  return assemble([
    provide(Clocks, systemClock),
    provide(BusKey, identity.bus),
    provide(clientOf(authContract), auth),
    createAuthenticatorModule({ instance: 'edge-1', services }),
  ]).start()
}

describe('createAuthenticatorModule()', () => {
  it('verifies users and services elsewhere, and hears of sessions that end', async () => {
    await using identity = await startIdentity({ services })
    const credentials = await verifiedUser(identity, 'ada@example.com')
    const before = await identity.auth.login(credentials)
    const kept = await identity.auth.login(credentials)
    const later = await identity.auth.login(credentials)
    await identity.auth.logout({ refreshToken: before.refreshToken })
    await using running = await startElsewhere(identity)
    const authenticator = running.get(AuthenticatorKey)
    const who = async (token: string) => authenticator.authenticate(new Map([['authorization', `Bearer ${token}`]]))
    const refusedEventually = (token: string) =>
      eventually(() =>
        who(token).then(
          () => undefined,
          (error: { code: string }) => error.code,
        ),
      )
    assert.equal((await who(kept.accessToken))?.id, kept.userId)
    assert.equal((await who(later.accessToken))?.sessionId, later.sessionId)
    assert.equal(await refusedEventually(before.accessToken), 'security.token_revoked', 'ended before the start')
    await identity.auth.logout({ refreshToken: later.refreshToken })
    assert.equal(await refusedEventually(later.accessToken), 'security.token_revoked', 'ended after it')
    assert.equal((await who(kept.accessToken))?.id, kept.userId)
    const service = await services.issue('orders')
    assert.deepEqual((await who(service.reveal()))?.roles, ['service'])
    assert.equal(
      (await identity.authenticator.authenticate(new Map([['authorization', `Bearer ${service.reveal()}`]])))?.id,
      'orders',
    )
  })

  it('refuses a name that could not name a group', () => {
    assert.throws(() => createAuthenticatorModule({ instance: 'Edge 1' }), TypeError)
  })
})

describe('sweep', () => {
  it('removes what has had its time and nothing else', async () => {
    await using place = await sqlite()
    {
      await using identity = await startIdentity({ place, config: { sessionIdleMs: 86_400_000 } })
      const credentials = await verifiedUser(identity, 'ada@example.com')
      const { refreshToken } = await identity.auth.login(credentials)
      await identity.auth.login({ ...credentials, password: 'a wrong password' }).catch(() => {})
      await identity.auth.refresh({ refreshToken })
    }
    await using store = await place.open<IdentitySchema>()
    const ids = createIds({ clock: systemClock, random: createSystemRandom() })
    const swept = createSqlIdentityStore({ store, outbox: createOutbox(), clock: systemClock, ids, onCommitted() {} })
    const tables = ['account', 'session', 'refresh_token', 'verification', 'throttle'] as const
    const counts = () =>
      Promise.all(
        tables.map(
          async (table) => (await store.read((tx) => tx.query.selectFrom(table).selectAll().execute())).length,
        ),
      )
    const sweepAt = (nowMs: number) =>
      swept.sweep(
        {
          nowMs,
          sessionsEndedBeforeMs: nowMs,
          tokensRotatedBeforeMs: nowMs,
          throttlesBeforeMs: nowMs,
          answersBeforeMs: nowMs,
        },
        100,
      )
    const start = await counts()
    assert.deepEqual(start, [1, 1, 2, 1, 2])
    assert.equal(await sweepAt(systemClock.nowMs() - 60_000), 0)
    assert.deepEqual(await counts(), start)
    assert.ok((await sweepAt(systemClock.nowMs() + 400 * 86_400_000)) > 0)
    assert.deepEqual(await counts(), [1, 0, 0, 0, 0])
  })
})
