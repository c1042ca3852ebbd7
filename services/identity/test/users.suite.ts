import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromBinary } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { RolesChangedSchema, SessionEnd, SessionRevokedSchema } from '../contract/index.ts'
import {
  eventually,
  goodPassword,
  type IdentityFixtureOptions,
  startIdentity,
  verifiedUser,
} from './identity.fixture.ts'
import type { Engine } from './place.fixture.ts'

const boss = { id: '00000000-0000-7000-8000-000000000001', roles: ['operator'] }
const someone = '00000000-0000-7000-8000-000000000009'
const fault = (kind: string, code: string) => (error: unknown) => {
  assert.ok(PlatformError.is(error), String(error))
  assert.deepEqual([error.kind, error.code], [kind, code])
  return true
}

/** Runs on every engine. */
export function describeUsers(engine: Engine): void {
  const start = (options: IdentityFixtureOptions = {}) => startIdentity({ engine, ...options })

  describe('users', () => {
    it('are created, read, listed page by page, filtered, changed and deleted', async () => {
      await using identity = await start()
      const { users } = identity.clients(boss)
      const made = []
      for (let at = 0; at < 5; at++) {
        const roles = at === 4 ? ['operator', 'customer'] : []
        made.push(
          await users.createUser({
            email: `user${at}@example.com`,
            password: goodPassword,
            displayName: `U${at}`,
            roles,
          }),
        )
      }
      assert.deepEqual(made.at(-1)?.roles, ['customer', 'operator'])
      assert.deepEqual(made[0]?.roles, ['customer'])
      assert.deepEqual(await users.getUser({ userId: made[2]?.id ?? '' }), made[2])
      const pages = []
      for (let pageToken = ''; ; ) {
        const page = await users.listUsers({ pageSize: 2, pageToken })
        pages.push(page.users.map(({ displayName }) => displayName))
        pageToken = page.nextPageToken
        if (pageToken === '') break
      }
      assert.deepEqual(pages, [['U0', 'U1'], ['U2', 'U3'], ['U4']])
      const found = async (query: Parameters<typeof users.listUsers>[0]) =>
        (await users.listUsers(query)).users.map(({ displayName }) => displayName)
      assert.deepEqual(await found({ role: 'operator' }), ['U4'])
      assert.deepEqual(await found({ emailPrefix: 'USER3' }), ['U3'])
      assert.deepEqual(await found({ emailPrefix: '%' }), [])
      assert.deepEqual(await found({ emailPrefix: 'user_' }), [])
      const [first] = made
      assert.ok(first)
      const changed = await users.updateUser({ user: { id: first.id, displayName: 'Zoe', etag: first.etag } })
      assert.deepEqual([changed.displayName, changed.email, changed.emailVerified], ['Zoe', first.email, true])
      assert.notEqual(changed.etag, first.etag)
      await users.deleteUser({ userId: first.id, etag: changed.etag })
      await assert.rejects(users.getUser({ userId: first.id }), fault('not_found', 'identity.user_unknown'))
      await users.createUser({ email: first.email, password: goodPassword })
    })

    it('change only what the mask names, and only at the given etag', async () => {
      await using identity = await start()
      const { users } = identity.clients(boss)
      const user = await users.createUser({ email: 'ada@example.com', password: goodPassword, displayName: 'Ada' })
      const update = (change: object, paths?: string[]) =>
        users.updateUser({ user: { id: user.id, ...change }, ...(paths && { updateMask: { paths } }) })
      assert.equal((await update({ displayName: '' }, ['display_name'])).displayName, '')
      assert.equal((await update({ displayName: 'B', emailVerified: false }, ['email_verified'])).displayName, '')
      assert.equal((await update({ displayName: 'B', emailVerified: true }, ['*'])).emailVerified, true)
      for (const path of ['roles', 'email', 'id', 'nonsense', "display_name'--"]) {
        await assert.rejects(update({ displayName: 'C' }, [path]), fault('invalid', 'identity.mask_invalid'))
      }
      await assert.rejects(update({ displayName: 'C', etag: user.etag }), fault('stale', 'identity.user_changed'))
      await assert.rejects(update({ displayName: 'C', etag: 'W/"x"' }), fault('stale', 'identity.user_changed'))
      await assert.rejects(
        users.updateUser({ user: { displayName: 'C' } }),
        fault('invalid', 'identity.user_id_invalid'),
      )
      await assert.rejects(
        users.updateUser({ user: { id: someone, displayName: 'C' } }),
        fault('not_found', 'identity.user_unknown'),
      )
    })

    it('change themselves, and nothing but their name', async () => {
      await using identity = await start()
      const { accessToken } = await identity.auth.login(await verifiedUser(identity, 'ada@example.com'))
      const me = identity.as(accessToken)
      const updated = await identity.users.updateMe({ user: { displayName: 'Countess' } }, me)
      assert.equal((await identity.users.getMe({}, me)).displayName, 'Countess')
      assert.equal(updated.displayName, 'Countess')
      const updateMask = { paths: ['roles'] }
      await assert.rejects(
        identity.users.updateMe({ user: { roles: ['operator'] }, updateMask }, me),
        fault('invalid', 'identity.mask_invalid'),
      )
    })

    it('are created once per idempotency key, and the password is no part of it', async () => {
      await using identity = await start()
      const { users } = identity.clients(boss)
      const wanted = { email: 'ada@example.com', password: goodPassword, displayName: 'Ada' }
      const idempotencyKey = 'create-ada'
      const first = await users.createUser(wanted, { idempotencyKey })
      assert.deepEqual(await users.createUser({ ...wanted, password: 'quite another one' }, { idempotencyKey }), first)
      await assert.rejects(users.createUser({ ...wanted, displayName: 'Eve' }, { idempotencyKey }), {
        code: 'data.idempotency_mismatch',
      })
      await assert.rejects(users.createUser(wanted), fault('exists', 'identity.email_taken'))
      await assert.rejects(
        users.createUser(wanted, { idempotencyKey: 'other' }),
        fault('exists', 'identity.email_taken'),
      )
      await users.deleteUser({ userId: first.id }, { idempotencyKey: 'delete-ada' })
      await users.deleteUser({ userId: first.id }, { idempotencyKey: 'delete-ada' })
      await assert.rejects(users.deleteUser({ userId: first.id }), fault('not_found', 'identity.user_unknown'))
    })

    it('racing for one address: one wins, the others are refused', async () => {
      await using identity = await start()
      const { users } = identity.clients(boss)
      const race = Array.from({ length: 20 }, () =>
        users.createUser({ email: 'ada@example.com', password: goodPassword }),
      )
      const outcomes = await Promise.allSettled(race)
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'identity.email_taken')
      }
    })

    it('lose their sessions when their roles change, and the last operator keeps the role', async () => {
      await using identity = await start()
      const { users } = identity.clients(boss)
      const credentials = await verifiedUser(identity, 'ada@example.com')
      const tokens = await identity.auth.login(credentials)
      const roles = ['operator']
      assert.deepEqual((await users.setRoles({ userId: tokens.userId, roles })).roles, roles)
      await assert.rejects(identity.users.getMe({}, identity.as(tokens.accessToken)), {
        code: 'security.token_revoked',
      })
      const again = await identity.auth.login(credentials)
      assert.deepEqual((await users.setRoles({ userId: tokens.userId, roles })).roles, roles)
      await identity.users.listUsers({}, identity.as(again.accessToken))
      const last = fault('precondition', 'identity.last_operator')
      await assert.rejects(users.setRoles({ userId: tokens.userId, roles: ['customer'] }), last)
      await assert.rejects(users.deleteUser({ userId: tokens.userId }), last)
      const revoked = await eventually(() => identity.events.find(({ type }) => type === 'session_revoked'))
      assert.equal(fromBinary(SessionRevokedSchema, revoked.payload).reason, SessionEnd.ROLES_CHANGED)
      const changed = await eventually(() => identity.events.find(({ type }) => type === 'roles_changed'))
      assert.deepEqual(fromBinary(RolesChangedSchema, changed.payload).roles, roles)
    })

    it('never lose both of two last operators to a race', async () => {
      await using identity = await start()
      const { users } = identity.clients(boss)
      const operators = await Promise.all(
        ['a@example.com', 'b@example.com'].map((email) =>
          users.createUser({ email, password: goodPassword, roles: ['operator'] }),
        ),
      )
      const outcomes = await Promise.allSettled(operators.map(({ id: userId }) => users.deleteUser({ userId })))
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    })

    it('are unlocked by an operator', async () => {
      await using identity = await start({ config: { accountFailuresFree: 1 } })
      const { email, password } = await verifiedUser(identity, 'ada@example.com')
      await assert.rejects(identity.auth.login({ email, password: 'a wrong password' }), {
        code: 'identity.credentials_wrong',
      })
      await assert.rejects(identity.auth.login({ email, password }), { code: 'identity.login_locked' })
      const { users } = identity.clients(boss)
      const [found] = (await users.listUsers({ emailPrefix: email })).users
      await users.unlockUser({ userId: found?.id ?? '' })
      await identity.auth.login({ email, password })
    })

    it('are closed to customers and strangers', async () => {
      await using identity = await start()
      const { accessToken } = await identity.auth.login(await verifiedUser(identity, 'ada@example.com'))
      const calls = [
        (options: object) => identity.users.listUsers({}, options),
        (options: object) => identity.users.getUser({ userId: someone }, options),
        (options: object) => identity.users.createUser({ email: 'a@b.example', password: goodPassword }, options),
        (options: object) => identity.users.updateUser({ user: { id: someone } }, options),
        (options: object) => identity.users.deleteUser({ userId: someone }, options),
        (options: object) => identity.users.setRoles({ userId: someone, roles: ['operator'] }, options),
        (options: object) => identity.users.unlockUser({ userId: someone }, options),
        (options: object) => identity.auth.listRevocations({}, options),
      ]
      for (const call of calls) {
        await assert.rejects(call(identity.as(accessToken)), fault('forbidden', 'rpc.forbidden'))
        await assert.rejects(call({}), fault('unauthenticated', 'rpc.unauthenticated'))
      }
      await assert.rejects(identity.users.getMe({}), fault('unauthenticated', 'rpc.unauthenticated'))
    })
  })
}
