import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHttpServer } from '@plinth/http'
import { mountRest } from '@plinth/rpc'
import { goodPassword, mailedToken, startIdentity } from './identity.fixture.ts'

async function startRest() {
  await using undo = new AsyncDisposableStack()
  const identity = undo.use(await startIdentity())
  const server = createHttpServer({ port: 0 })
  mountRest(server, identity.dispatcher)
  const { url } = await server.listen()
  undo.defer(() => server.close())
  const resources = undo.move()
  return {
    identity,
    async call(method: string, path: string, { body, token, headers = {} }: Call = {}) {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      return { status: answer.status, headers: answer.headers, json: text === '' ? {} : JSON.parse(text) }
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

interface Call {
  readonly body?: unknown
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

describe('identity over REST', () => {
  it('carries a customer from registering to logging out', async () => {
    await using rest = await startRest()
    const email = 'ada@example.com'
    const credentials = { email, password: goodPassword }
    const registered = await rest.call('POST', '/v1/auth/register', { body: { ...credentials, displayName: 'Ada' } })
    assert.deepEqual([registered.status, registered.json], [200, { verificationRequired: true }])
    const early = await rest.call('POST', '/v1/auth/login', { body: credentials })
    assert.deepEqual([early.status, early.json.code], [422, 'identity.email_unverified'])
    const token = await mailedToken(rest.identity, email)
    assert.equal((await rest.call('POST', '/v1/auth/verify-email', { body: { token } })).status, 200)
    const headers = { 'user-agent': 'Browser/1.0' }
    const login = await rest.call('POST', '/v1/auth/login', { body: { ...credentials, deviceName: 'phone' }, headers })
    assert.equal(login.status, 200)
    const me = await rest.call('GET', '/v1/me', { token: login.json.accessToken })
    assert.deepEqual([me.json.email, me.json.roles], [email, ['customer']])
    const renamed = await rest.call('PATCH', '/v1/me', {
      token: login.json.accessToken,
      body: { displayName: 'Countess' },
    })
    assert.deepEqual([renamed.status, renamed.json.displayName], [200, 'Countess'])
    const grab = await rest.call('PATCH', '/v1/me', { token: login.json.accessToken, body: { roles: ['operator'] } })
    assert.deepEqual([grab.status, grab.json.code], [400, 'identity.mask_invalid'])
    const body = { refreshToken: login.json.refreshToken }
    const next = await rest.call('POST', '/v1/auth/refresh', { body })
    assert.deepEqual((await rest.call('POST', '/v1/auth/refresh', { body })).json, next.json)
    const listed = await rest.call('GET', '/v1/auth/sessions', { token: next.json.accessToken })
    const [session] = listed.json.sessions
    assert.equal(session.deviceName, 'phone')
    assert.match(session.address, /^(::ffff:)?127\.0\.0\.1$/)
    assert.equal(
      (await rest.call('POST', '/v1/auth/logout', { body: { refreshToken: next.json.refreshToken } })).status,
      200,
    )
    const after = await rest.call('GET', '/v1/me', { token: next.json.accessToken })
    assert.deepEqual([after.status, after.json.code], [401, 'security.token_revoked'])
  })

  it('gives operators the users, with etags and masks', async () => {
    await using rest = await startRest()
    const { file } = await rest.identity.admin.ensureOperator()
    const { default: credentials } = await import(file, { with: { type: 'json' } })
    const { accessToken: token } = (await rest.call('POST', '/v1/auth/login', { body: credentials })).json
    const body = { email: 'ada@example.com', password: goodPassword }
    const made = await rest.call('POST', '/v1/users', { token, body, headers: { 'idempotency-key': 'k1' } })
    assert.deepEqual(
      (await rest.call('POST', '/v1/users', { token, body, headers: { 'idempotency-key': 'k1' } })).json,
      made.json,
    )
    const path = `/v1/users/${made.json.id}`
    const patched = await rest.call('PATCH', path, { token, body: { displayName: 'Ada', etag: made.json.etag } })
    assert.equal(patched.json.displayName, 'Ada')
    const stale = await rest.call('PATCH', path, { token, body: { displayName: 'Eve', etag: made.json.etag } })
    assert.deepEqual([stale.status, stale.json.code], [412, 'identity.user_changed'])
    const roles = await rest.call('POST', `${path}:setRoles`, { token, body: { roles: ['customer', 'operator'] } })
    assert.deepEqual(roles.json.roles, ['customer', 'operator'])
    assert.equal((await rest.call('POST', `${path}:unlock`, { token, body: {} })).status, 200)
    const page = await rest.call('GET', '/v1/users?page_size=1&role=operator', { token })
    assert.equal(page.json.users.length, 1)
    assert.ok(page.json.nextPageToken)
    assert.equal((await rest.call('DELETE', path, { token })).status, 200)
    assert.equal((await rest.call('GET', path, { token })).status, 404)
  })

  it('publishes its keys where standards look for them', async () => {
    await using rest = await startRest()
    const { json } = await rest.call('GET', '/.well-known/jwks.json')
    assert.deepEqual(Object.keys(json.keys[0]).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  })

  it('answers broken requests with 4xx and the fields that are wrong', async () => {
    await using rest = await startRest()
    const broken = await rest.call('POST', '/v1/auth/register', { body: { email: 'nobody', password: 'short' } })
    assert.equal(broken.status, 400)
    assert.deepEqual(broken.json.violations.map(({ field }: { field: string }) => field).sort(), ['email', 'password'])
    const bodies = ['', '{', '[]', 'null', '5', '{"email":5}', '{"unknown":1}', `{"email":"${'x'.repeat(20_000)}"}`]
    for (const body of bodies) {
      for (const path of ['register', 'login', 'refresh', 'logout', 'verify-email', 'resend-verification']) {
        const { status } = await rest.call('POST', `/v1/auth/${path}`, { body })
        assert.ok(status >= 400 && status < 500, `${path} ${body.slice(0, 20)}: ${status}`)
      }
    }
    for (const token of ['x', 'a.b.c', 'x'.repeat(5000)]) {
      assert.equal((await rest.call('GET', '/v1/me', { token })).status, 401)
    }
    assert.equal((await rest.call('GET', '/v1/me')).status, 401)
  })
})
