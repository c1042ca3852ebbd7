import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import type { IdentitySchema } from '../src/adapters/identity-schema.ts'
import {
  eventually,
  goodPassword,
  type IdentityFixtureOptions,
  mailedToken,
  startIdentity,
  verifiedUser,
} from './identity.fixture.ts'
import type { Engine } from './place.fixture.ts'

const fault = (kind: string, code: string) => (error: unknown) => {
  assert.ok(PlatformError.is(error), String(error))
  assert.deepEqual([error.kind, error.code], [kind, code])
  return true
}

/** Runs on every engine. */
export function describeSignIn(engine: Engine): void {
  const start = (options: IdentityFixtureOptions = {}) => startIdentity({ engine, ...options })

  describe('register()', () => {
    it('opens an account that can sign in once its address is verified', async () => {
      await using identity = await start()
      const email = 'ada@example.com'
      assert.equal(
        await identity.auth.register({ email: ' Ada@Example.com ', password: goodPassword }).catch((e) => e.code),
        'rpc.invalid_request',
      )
      assert.equal(
        (await identity.auth.register({ email: 'Ada@Example.com', password: goodPassword })).verificationRequired,
        true,
      )
      await assert.rejects(
        identity.auth.login({ email, password: goodPassword }),
        fault('precondition', 'identity.email_unverified'),
      )
      const token = await mailedToken(identity, email)
      await identity.auth.verifyEmail({ token })
      await identity.auth.verifyEmail({ token })
      const tokens = await identity.auth.login({ email, password: goodPassword, deviceName: 'phone' })
      assert.equal(tokens.tokenType, 'Bearer')
      const me = await identity.users.getMe({}, identity.as(tokens.accessToken))
      assert.deepEqual([me.email, me.emailVerified, me.roles, me.id], [email, true, ['customer'], tokens.userId])
    })

    it('answers the same for an address that is taken, and tells its owner', async () => {
      await using identity = await start()
      await verifiedUser(identity, 'ada@example.com')
      const answer = await identity.auth.register({ email: 'ada@example.com', password: 'somebody else here' })
      assert.equal(answer.verificationRequired, true)
      await eventually(async () => (await identity.mails()).find((mail) => mail.includes('already have an account')))
      await identity.auth.login({ email: 'ada@example.com', password: goodPassword })
      const intruder = { email: 'ada@example.com', password: 'somebody else here' }
      await assert.rejects(identity.auth.login(intruder), fault('unauthenticated', 'identity.credentials_wrong'))
    })

    it('of an address nobody verified replaces the password and voids the older mail', async () => {
      await using identity = await start()
      const email = 'ada@example.com'
      await identity.auth.register({ email, password: 'the squatter was here' })
      const first = await mailedToken(identity, email)
      await identity.auth.register({ email, password: goodPassword })
      const second = await eventually(async () => {
        const token = await mailedToken(identity, email)
        return token === first ? undefined : token
      })
      await assert.rejects(
        identity.auth.verifyEmail({ token: first }),
        fault('invalid', 'identity.verification_invalid'),
      )
      await identity.auth.verifyEmail({ token: second })
      await identity.auth.login({ email, password: goodPassword })
    })

    it('refuses weak passwords, naming the field', async () => {
      await using identity = await start()
      const weak = { email: 'ada@example.com', password: 'ada@example.com' }
      await assert.rejects(identity.auth.register(weak), (error: PlatformError) => {
        assert.equal(error.code, 'identity.password_weak')
        assert.deepEqual(
          error.details.violations?.map(({ field, rule }) => [field, rule]),
          [['password', 'password.like_email']],
        )
        return true
      })
    })

    it('mails an address only so often', async () => {
      await using place = await engine()
      const identity = await start({ place, config: { mailsFree: 2 } })
      const email = 'ada@example.com'
      for (let at = 0; at < 5; at++) await identity.auth.register({ email, password: goodPassword })
      for (let at = 0; at < 5; at++) await identity.auth.resendVerification({ email })
      // The stop sends what waits.
      await identity[Symbol.asyncDispose]()
      assert.equal((await identity.mails()).length, 2)
    })

    it('lets unverified users in when the house says so', async () => {
      await using identity = await start({ config: { verification: 'optional' } })
      const answer = await identity.auth.register({ email: 'ada@example.com', password: goodPassword })
      assert.equal(answer.verificationRequired, false)
      const { accessToken } = await identity.auth.login({ email: 'ada@example.com', password: goodPassword })
      assert.equal((await identity.users.getMe({}, identity.as(accessToken))).emailVerified, false)
    })
  })

  describe('verifyEmail()', () => {
    it('refuses unknown and old tokens', async () => {
      await using identity = await start()
      await identity.auth.register({ email: 'ada@example.com', password: goodPassword })
      const token = await mailedToken(identity, 'ada@example.com')
      const refused = fault('invalid', 'identity.verification_invalid')
      await assert.rejects(identity.auth.verifyEmail({ token: `${token}x` }), refused)
      identity.moveMs(86_400_000)
      await assert.rejects(identity.auth.verifyEmail({ token }), refused)
      await identity.auth.resendVerification({ email: 'ada@example.com' })
      await identity.auth.resendVerification({ email: 'nobody@example.com' })
      const fresh = await eventually(async () => {
        const newest = await mailedToken(identity, 'ada@example.com')
        return newest === token ? undefined : newest
      })
      await identity.auth.verifyEmail({ token: fresh })
    })
  })

  describe('login()', () => {
    it('tells a wrong password from an unknown address neither by answer nor by the work done', async () => {
      await using identity = await start()
      await verifiedUser(identity, 'ada@example.com')
      const shape = async (email: string) => {
        const error = await identity.auth.login({ email, password: 'a wrong password' }).catch((reason) => reason)
        return { kind: error.kind, code: error.code, message: error.message, details: error.details }
      }
      assert.deepEqual(await shape('ada@example.com'), await shape('nobody@example.com'))
      assert.deepEqual(await shape('ada@example.com'), await shape("' or 1=1 --"))
    })

    it('locks an account after its free failures, known or not, with growing waits', async () => {
      await using identity = await start({ config: { accountFailuresFree: 3 } })
      const { email, password } = await verifiedUser(identity, 'ada@example.com')
      for (const address of [email, 'nobody@example.com']) {
        const wrong = { email: address, password: 'a wrong password' }
        for (let at = 0; at < 3; at++) {
          await assert.rejects(identity.auth.login(wrong), fault('unauthenticated', 'identity.credentials_wrong'))
        }
        await assert.rejects(identity.auth.login(wrong), (error: PlatformError) => {
          fault('exhausted', 'identity.login_locked')(error)
          assert.ok((error.retryAfterMs ?? 0) > 0 && (error.retryAfterMs ?? 0) <= 1000)
          return true
        })
      }
      await assert.rejects(identity.auth.login({ email, password }), fault('exhausted', 'identity.login_locked'))
      identity.moveMs(1000)
      await assert.rejects(
        identity.auth.login({ email, password: 'still wrong here' }),
        fault('unauthenticated', 'identity.credentials_wrong'),
      )
      identity.moveMs(1000)
      await assert.rejects(identity.auth.login({ email, password }), fault('exhausted', 'identity.login_locked'))
      identity.moveMs(1000)
      await identity.auth.login({ email, password })
      for (let at = 0; at < 3; at++) await identity.auth.login({ email, password })
    })

    it('stops a burst of guesses like a row of them', async () => {
      await using identity = await start({ config: { accountFailuresFree: 3 } })
      const { email } = await verifiedUser(identity, 'ada@example.com')
      const guesses = Array.from({ length: 40 }, (_, at) =>
        identity.auth.login({ email, password: `guess number ${at}` }),
      )
      const codes = (await Promise.allSettled(guesses)).map((outcome) => (outcome as PromiseRejectedResult).reason.code)
      assert.equal(codes.filter((code) => code === 'identity.credentials_wrong').length, 3)
      assert.equal(codes.filter((code) => code === 'identity.login_locked').length, 37)
    })

    it('refuses with a retry hint when too many passwords wait, and counts that as no failure', async () => {
      await using identity = await start({
        config: { hashConcurrency: 1, hashQueueMax: 0 },
        passwordParameters: { memoryKib: 65_536, passes: 3, parallelism: 1 },
      })
      const { email, password } = await verifiedUser(identity, 'ada@example.com')
      const attempts = await Promise.allSettled(
        Array.from({ length: 4 }, () => identity.auth.login({ email, password })),
      )
      const refused = attempts.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
      assert.ok(refused.length >= 1)
      for (const error of refused) {
        fault('exhausted', 'security.hash_queue_full')(error)
        assert.ok(error.retryAfterMs > 0)
      }
      for (let at = 0; at < 2; at++) await identity.auth.login({ email, password })
    })

    it('ends the session used longest ago when there are too many', async () => {
      await using identity = await start({ config: { sessionsMax: 2 } })
      const credentials = await verifiedUser(identity, 'ada@example.com')
      const logins = []
      for (let at = 0; at < 3; at++) {
        logins.push(await identity.auth.login(credentials))
        identity.moveMs(10)
      }
      const [first, , third] = logins
      await assert.rejects(
        identity.users.getMe({}, identity.as(first?.accessToken ?? '')),
        fault('unauthenticated', 'security.token_revoked'),
      )
      const { sessions } = await identity.auth.listSessions({}, identity.as(third?.accessToken ?? ''))
      assert.equal(sessions.length, 2)
    })

    it('rehashes a password that was stored at another cost', async () => {
      await using place = await engine()
      {
        await using dear = await start({ place, passwordParameters: { memoryKib: 9000, passes: 1, parallelism: 1 } })
        await verifiedUser(dear, 'ada@example.com')
      }
      await using identity = await start({ place })
      const credentials = { email: 'ada@example.com', password: goodPassword }
      for (let at = 0; at < 2; at++) await identity.auth.login(credentials)
      await using store = await place.open<IdentitySchema>()
      const [row] = await store.read((tx) => tx.query.selectFrom('account').select('password_hash').execute())
      assert.match(row?.password_hash ?? '', /m=8192,/)
    })
  })

  describe('sessions', () => {
    it('are listed with their devices and revoked one by one, all others or all', async () => {
      await using identity = await start()
      const credentials = await verifiedUser(identity, 'ada@example.com')
      const phone = await identity.auth.login({ ...credentials, deviceName: 'phone' })
      const laptop = await identity.auth.login({ ...credentials, deviceName: 'laptop' })
      const third = await identity.auth.login(credentials)
      const list = async () => (await identity.auth.listSessions({}, identity.as(laptop.accessToken))).sessions
      assert.deepEqual(
        (await list()).map(({ deviceName, current }) => [deviceName, current]),
        [
          ['', false],
          ['laptop', true],
          ['phone', false],
        ],
      )
      await identity.auth.revokeSession({ sessionId: phone.sessionId }, identity.as(laptop.accessToken))
      await identity.auth.revokeSession({ sessionId: phone.sessionId }, identity.as(laptop.accessToken))
      await assert.rejects(
        identity.users.getMe({}, identity.as(phone.accessToken)),
        fault('unauthenticated', 'security.token_revoked'),
      )
      await assert.rejects(
        identity.auth.refresh({ refreshToken: phone.refreshToken }),
        fault('unauthenticated', 'identity.session_over'),
      )
      assert.equal(
        (await identity.auth.revokeSessions({ keepCurrent: true }, identity.as(laptop.accessToken))).revoked,
        1,
      )
      await assert.rejects(
        identity.users.getMe({}, identity.as(third.accessToken)),
        fault('unauthenticated', 'security.token_revoked'),
      )
      assert.equal((await list()).length, 1)
      assert.equal((await identity.auth.revokeSessions({}, identity.as(laptop.accessToken))).revoked, 1)
      await assert.rejects(list(), fault('unauthenticated', 'security.token_revoked'))
    })

    it('of others are as unknown as those that never were', async () => {
      await using identity = await start()
      const ada = await identity.auth.login(await verifiedUser(identity, 'ada@example.com'))
      const eve = await identity.auth.login(await verifiedUser(identity, 'eve@example.com'))
      const unknown = fault('not_found', 'identity.session_unknown')
      await assert.rejects(
        identity.auth.revokeSession({ sessionId: ada.sessionId }, identity.as(eve.accessToken)),
        unknown,
      )
      const sessionId = '00000000-0000-7000-8000-000000000000'
      await assert.rejects(identity.auth.revokeSession({ sessionId }, identity.as(eve.accessToken)), unknown)
      await identity.users.getMe({}, identity.as(ada.accessToken))
    })

    it('end by logout, by idling and at their absolute end', async () => {
      await using identity = await start({ config: { sessionIdleMs: 1_000_000, sessionLifetimeMs: 1_900_000 } })
      const credentials = await verifiedUser(identity, 'ada@example.com')
      const out = await identity.auth.login(credentials)
      await identity.auth.logout({ refreshToken: out.refreshToken })
      await identity.auth.logout({ refreshToken: out.refreshToken })
      await identity.auth.logout({ refreshToken: 'rt_never_given' })
      const over = fault('unauthenticated', 'identity.session_over')
      await assert.rejects(identity.auth.refresh({ refreshToken: out.refreshToken }), over)
      const idle = await identity.auth.login(credentials)
      const used = await identity.auth.login(credentials)
      identity.moveMs(950_000)
      const next = await identity.auth.refresh({ refreshToken: used.refreshToken })
      identity.moveMs(60_000)
      await assert.rejects(identity.auth.refresh({ refreshToken: idle.refreshToken }), over)
      const last = await identity.auth.refresh({ refreshToken: next.refreshToken })
      assert.equal(last.refreshExpiresAt?.seconds, used.refreshExpiresAt && used.refreshExpiresAt.seconds + 900n)
      identity.moveMs(900_000)
      await assert.rejects(identity.auth.refresh({ refreshToken: last.refreshToken }), over)
    })

    it('survive a restart, and so do revocations', async () => {
      await using place = await engine()
      const first = await start({ place })
      const credentials = await verifiedUser(first, 'ada@example.com')
      const kept = await first.auth.login(credentials)
      const revoked = await first.auth.login(credentials)
      await first.auth.logout({ refreshToken: revoked.refreshToken })
      await first[Symbol.asyncDispose]()
      await using second = await start({ place })
      await second.users.getMe({}, second.as(kept.accessToken))
      await assert.rejects(second.users.getMe({}, second.as(revoked.accessToken)), { code: 'security.token_revoked' })
      await second.auth.refresh({ refreshToken: kept.refreshToken })
    })
  })

  describe('changePassword()', () => {
    it('takes the old password, sets the new one and ends the other sessions', async () => {
      await using identity = await start()
      const { email, password } = await verifiedUser(identity, 'ada@example.com')
      const here = await identity.auth.login({ email, password })
      const there = await identity.auth.login({ email, password })
      const change = (currentPassword: string, newPassword: string) =>
        identity.auth.changePassword({ currentPassword, newPassword }, identity.as(here.accessToken))
      await assert.rejects(
        change('not the password', 'another good one'),
        fault('unauthenticated', 'identity.credentials_wrong'),
      )
      await assert.rejects(change(password, 'Password123'), (error: PlatformError) => {
        assert.equal(error.details.violations?.[0]?.field, 'newPassword')
        return error.code === 'identity.password_weak'
      })
      await change(password, 'another good one')
      await identity.users.getMe({}, identity.as(here.accessToken))
      await assert.rejects(
        identity.users.getMe({}, identity.as(there.accessToken)),
        fault('unauthenticated', 'security.token_revoked'),
      )
      await assert.rejects(
        identity.auth.login({ email, password }),
        fault('unauthenticated', 'identity.credentials_wrong'),
      )
      await identity.auth.login({ email, password: 'another good one' })
    })

    it('is throttled like the login', async () => {
      await using identity = await start({ config: { accountFailuresFree: 2 } })
      const credentials = await verifiedUser(identity, 'ada@example.com')
      const { accessToken } = await identity.auth.login(credentials)
      const guess = () =>
        identity.auth.changePassword(
          { currentPassword: 'a wrong guess', newPassword: 'another good one' },
          identity.as(accessToken),
        )
      for (let at = 0; at < 2; at++)
        await assert.rejects(guess(), fault('unauthenticated', 'identity.credentials_wrong'))
      await assert.rejects(guess(), fault('exhausted', 'identity.login_locked'))
    })
  })

  describe('ensureOperator()', () => {
    it('makes one operator, with a password in a file of the owner alone', async () => {
      await using identity = await start()
      const { created, file } = await identity.admin.ensureOperator()
      assert.equal(created, true)
      assert.equal((await stat(file)).mode & 0o777, 0o600)
      const { email, password } = JSON.parse(await readFile(file, 'utf8'))
      assert.ok(password.length >= 32)
      const tokens = await identity.auth.login({ email, password })
      const { users } = await identity.users.listUsers({}, identity.as(tokens.accessToken))
      assert.deepEqual(users[0]?.roles, ['operator'])
      assert.equal((await identity.admin.ensureOperator()).created, false)
      assert.equal(JSON.parse(await readFile(file, 'utf8')).password, password)
      assert.ok(!identity.sink.lines.join().includes(password))
    })
  })

  describe('getJwks()', () => {
    it('publishes the public keys alone, and a leaked key can be thrown away at once', async () => {
      await using identity = await start()
      const { accessToken } = await identity.auth.login(await verifiedUser(identity, 'ada@example.com'))
      const { keys } = await identity.auth.getJwks({})
      assert.deepEqual(
        keys.map(({ kty, crv, use, alg }) => [kty, crv, use, alg]),
        [['OKP', 'Ed25519', 'sig', 'EdDSA']],
      )
      assert.ok(!JSON.stringify(keys).includes('"d"'))
      await identity.admin.rotateKeys({ discardOld: true })
      await assert.rejects(
        identity.users.getMe({}, identity.as(accessToken)),
        fault('unauthenticated', 'security.key_unknown'),
      )
    })
  })
}
