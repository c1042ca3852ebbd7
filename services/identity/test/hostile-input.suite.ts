import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { goodPassword, startIdentity, verifiedUser } from './identity.fixture.ts'
import type { Engine } from './place.fixture.ts'

const hostile = [
  '',
  "' or 1=1 --",
  "'; drop table account; --",
  '%_\\',
  '\u0000',
  'a\u0000b@example.com',
  '\ud800',
  '\u202eevil',
  'x'.repeat(100_000),
  '{"$gt":""}',
  '__proto__',
  'ada@example.com\r\nBcc: all@example.com',
  '../../../etc/passwd',
  '{{7*7}}',
  '-1',
  '00000000-0000-7000-8000-00000000000Z',
]

/** Faults of the caller alone; anything of ours would be a hole. */
const callerFaults = new Set([
  'invalid',
  'unauthenticated',
  'not_found',
  'exhausted',
  'precondition',
  'stale',
  'exists',
])

/** Runs on every engine. */
export function describeHostileInput(engine: Engine): void {
  describe('every field of every method', () => {
    it('takes hostile text without a fault of our own, and none of it is executed', async () => {
      await using identity = await startIdentity({ engine, config: { mailsFree: 100, addressFailuresFree: 1000 } })
      const { userId, accessToken } = await identity.auth.login(await verifiedUser(identity, 'ada@example.com'))
      const { users, auth } = identity.clients({ id: userId, roles: ['operator'] })
      const me = identity.as(accessToken)
      const calls: readonly ((text: string) => Promise<unknown>)[] = [
        (email) => auth.register({ email, password: goodPassword }),
        (password) => auth.register({ email: 'eve@example.com', password }),
        (displayName) => auth.register({ email: 'bob@example.com', password: goodPassword, displayName }),
        (token) => auth.verifyEmail({ token }),
        (email) => auth.resendVerification({ email }),
        (email) => auth.login({ email, password: goodPassword }),
        (password) => auth.login({ email: 'nobody@example.com', password }),
        (deviceName) => auth.login({ email: 'ada@example.com', password: goodPassword, deviceName }),
        (refreshToken) => auth.refresh({ refreshToken }),
        (refreshToken) => auth.logout({ refreshToken }),
        (sessionId) => auth.revokeSession({ sessionId }, me),
        (currentPassword) => auth.changePassword({ currentPassword, newPassword: goodPassword }),
        (newPassword) => auth.changePassword({ currentPassword: 'wrong wrong', newPassword }),
        (displayName) => users.updateMe({ user: { displayName } }),
        (path) => users.updateMe({ user: {}, updateMask: { paths: [path] } }),
        (displayName) =>
          users.createUser({
            email: `${Math.abs(displayName.length)}@example.com`,
            password: goodPassword,
            displayName,
          }),
        (role) => users.createUser({ email: 'carl@example.com', password: goodPassword, roles: [role] }),
        (id) => users.getUser({ userId: id }),
        (emailPrefix) => users.listUsers({ emailPrefix }),
        (pageToken) => users.listUsers({ pageToken }),
        (role) => users.listUsers({ role }),
        (id) => users.updateUser({ user: { id, displayName: 'x' } }),
        (etag) => users.updateUser({ user: { id: userId, displayName: 'x', etag } }),
        (etag) => users.deleteUser({ userId: '00000000-0000-7000-8000-000000000009', etag }),
        (role) => users.setRoles({ userId, roles: [role] }),
        (id) => users.unlockUser({ userId: id }),
      ]
      for (const [at, call] of calls.entries()) {
        for (const text of hostile) {
          const outcome = await call(text).catch((error: unknown) => error)
          if (!(outcome instanceof Error)) continue
          const where = `call ${at} with ${JSON.stringify(text.slice(0, 40))}`
          assert.ok(PlatformError.is(outcome), where)
          assert.ok(callerFaults.has(outcome.kind), `${where}: ${outcome.kind} ${outcome.code} ${outcome.message}`)
        }
      }
      const all = (await users.listUsers({ pageSize: 100 })).users
      assert.ok(all.some(({ email }) => email === 'ada@example.com'))
    })
  })
}
