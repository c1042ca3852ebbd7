/**
 * Secrets stay where they belong: markers are planted wherever a secret enters, everything is made to be logged, and then
 * they are looked for in all that leaves or is kept.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { authContract } from '@plinth/identity-service/contract'
import { eventually } from './harness/eventually.ts'
import { login, mailedToken } from './harness/people.ts'
import { startProgram } from './harness/program.ts'
import { openShop, type Shop } from './harness/shop.ts'
import { storedText } from './harness/stored.ts'

const marker = (name: string) => `${name}${randomBytes(9).toString('hex')}`

const planted = {
  password: marker('Passw0rd'),
  newPassword: marker('Newpassw0rd'),
  wrongPassword: marker('Wrongpassw0rd'),
  webhookSecret: marker('webhooksecret'),
  clusterSecret: marker('clustersecretthatislongenough'),
  databasePassword: marker('databasepassword'),
  paymentMethod: marker('card_'),
  badToken: marker('badtoken'),
} as const

let shop: Shop
const secrets = new Map<string, string>(Object.entries(planted))
/** Everything that was answered to a bad request. */
const refusals: string[] = []

before(async () => {
  shop = await openShop({
    settings: ['log.level=trace', 'log.traceRatio=1', 'rpc.accessLog=all'],
    environment: {
      PLINTH_PAYMENTS__WEBHOOK_SECRET: planted.webhookSecret,
      PLINTH_CLUSTER__SECRET: planted.clusterSecret,
      PLINTH_DATA__POSTGRES_URL: `postgres://plinth:${planted.databasePassword}@127.0.0.1:1/none`,
    },
  })
  secrets.set('operator password', shop.operator.password)
  secrets.set('operator token', shop.operator.token)
  await live()
  await err()
})

after(() => shop[Symbol.asyncDispose]())

/** A life in which every secret is used as it is meant to be. */
async function live(): Promise<void> {
  const { rest, program } = shop
  const email = 'ada@example.com'
  await rest('/v1/auth/register', { json: { email, password: planted.password } })
  secrets.set('verification token', await mailedToken(program.dir, email))
  const ada = await login(rest, { email, password: planted.password })
  const changed = await rest('/v1/auth/change-password', {
    token: ada.token,
    json: { currentPassword: planted.password, newPassword: planted.newPassword },
  })
  assert.equal(changed.status, 200, changed.text)
  const refreshed = await rest('/v1/auth/refresh', { json: { refreshToken: ada.refreshToken } })
  secrets.set('access token', ada.token)
  secrets.set('refresh token', ada.refreshToken)
  secrets.set('next access token', refreshed.json.accessToken)
  secrets.set('next refresh token', refreshed.json.refreshToken)
  const productId = await shop.stock(5)
  const placed = await rest('/v1/orders', {
    token: ada.token,
    json: { lines: [{ productId, quantity: 1 }], paymentMethod: planted.paymentMethod },
    headers: { 'idempotency-key': 'k1' },
  })
  assert.equal(placed.status, 200, placed.text)
  await eventually(() => rest(`/v1/orders/${placed.json.orderId}`, { token: ada.token }), {
    what: 'the payment to fail',
    timeoutMs: 30_000,
    until: ({ json }) => json.paymentFailure !== '',
  })
}

/** The same secrets in requests that are refused. */
async function err(): Promise<void> {
  const { rest } = shop
  const { password, newPassword, wrongPassword, paymentMethod, badToken } = planted
  const headers = { 'content-type': 'application/json' }
  const answers = await Promise.all([
    rest('/v1/auth/login', { json: { email: 'ada@example.com', password: wrongPassword } }),
    rest('/v1/auth/login', { json: { email: 'ada@example.com', password: { is: password } } }),
    rest('/v1/auth/login', { json: { email: 'ada@example.com', password: [password] } }),
    rest('/v1/auth/login', { json: { email: 'ada@example.com', password, [newPassword.slice(0, 4)]: 1 } }),
    rest('/v1/auth/login', { body: `{"email":"a@b.c","password":"${password}`, headers }),
    rest('/v1/auth/login', { body: `{"password":"${password}" oops}`, headers }),
    rest(`/v1/auth/login?password=${password}`, { json: { email: 'ada@example.com', password } }),
    rest('/v1/auth/register', { json: { email: 'x', password: password.repeat(20) } }),
    rest('/v1/auth/register', { json: { email: 'eve@example.com', password: password.slice(0, 9), displayName: 7 } }),
    rest('/v1/auth/refresh', { json: { refreshToken: badToken } }),
    rest('/v1/auth/refresh', { json: { refreshToken: { is: badToken } } }),
    rest('/v1/auth/verify-email', { json: { token: badToken } }),
    rest('/v1/me', { token: badToken }),
    rest(`/v1/me?access_token=${badToken}`, {}),
    rest('/v1/orders', {
      token: shop.operator.token,
      json: { paymentMethod: `${paymentMethod}!` },
      headers: { 'idempotency-key': 'k2' },
    }),
    rest('/v1/payments/webhooks/simulator', { body: '{}', headers: { 'plinth-signature': badToken } }),
  ])
  for (const { status, text } of answers) {
    assert.ok(status >= 400 && status < 500, text)
    refusals.push(text)
  }
  const calls = shop.grpc(authContract)
  for (const call of [
    () => calls.login({ email: 'ada@example.com', password: wrongPassword }),
    () => calls.login({ email: '', password: password.repeat(20) }),
    () => calls.refresh({ refreshToken: badToken }),
  ]) {
    const fault = await call().then(
      () => assert.fail('was accepted'),
      (error: unknown) => error,
    )
    assert.ok(PlatformError.is(fault))
    refusals.push(JSON.stringify([fault.message, fault.details]))
  }
}

/** Names of the secrets in a text. */
function found(text: string, except: readonly string[] = []): readonly string[] {
  return [...secrets].filter(([name, secret]) => !except.includes(name) && text.includes(secret)).map(([name]) => name)
}

describe('secrets', () => {
  it('the log holds none, at its lowest level and with every call', async () => {
    const { records } = shop.program
    assert.ok(records.some(({ method }) => method === 'plinth.identity.v1.AuthService/Login'))
    assert.ok(records.length > 20)
    assert.deepEqual(found(shop.program.output()), [])
  })

  it('the metrics hold none', async () => {
    const response = await fetch(`${shop.program.admin}/metrics`)
    assert.deepEqual(found(await response.text()), [])
    const ready = await fetch(`${shop.program.admin}/readyz`)
    assert.deepEqual(found(await ready.text()), [])
  })

  it('no answer to a bad request repeats one', () => {
    assert.ok(refusals.length >= 19)
    for (const text of refusals) {
      // Parts of a secret are as good as the whole to who knows the rest.
      const parts = [...secrets.values()].filter((secret) => text.includes(secret.slice(0, 12)))
      assert.deepEqual(parts, [], text)
    }
  })

  it('the databases keep only what the provider is asked with', async () => {
    const text = await storedText(shop.program.dir)
    assert.ok(text.includes('ada@example.com'))
    assert.deepEqual(found(text, ['paymentMethod']), [])
  })

  it('no file holds one but those for it', async () => {
    const own: Readonly<Record<string, readonly string[]>> = {
      'operator.json': ['operator password'],
      mail: ['verification token'],
      // The provider's own token for a means of payment travels with the wish to pay; it is no card number.
      bus: ['paymentMethod'],
      'orders.db': ['paymentMethod'],
      'orders.db-wal': ['paymentMethod'],
      'payments.db': ['paymentMethod'],
      'payments.db-wal': ['paymentMethod'],
    }
    const { dir } = shop.program
    let files = 0
    for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      files++
      const path = join(entry.parentPath, entry.name)
      const [top = ''] = path.slice(dir.length + 1).split('/')
      assert.deepEqual(found(await readFile(path, 'latin1'), own[top] ?? []), [], path)
    }
    assert.ok(files > 10)
  })

  it('what the shop keeps is for its owner alone', { skip: process.platform === 'win32' }, async () => {
    const { dir } = shop.program
    for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      const mode = (await stat(path)).mode & 0o077
      assert.equal(mode, 0, `${path} is open to others: ${mode.toString(8)}`)
    }
  })

  it('a configuration that is refused does not show one', async () => {
    const secret = marker('short').slice(0, 14)
    const start = startProgram({
      environment: {
        PLINTH_PAYMENTS__WEBHOOK_SECRET: secret,
        PLINTH_CLUSTER__SECRET: secret,
        PLINTH_DATA__POSTGRES_URL: `postgres://plinth:${planted.databasePassword}@127.0.0.1:1/none`,
      },
      settings: ['data.engine=postgres'],
    })
    await assert.rejects(start, (error: Error) => {
      assert.match(error.message, /webhookSecret/)
      assert.ok(!error.message.includes(secret), error.message)
      assert.ok(!error.message.includes(planted.databasePassword), error.message)
      return true
    })
  })

  it('a database that is not there is named without its password', async () => {
    const start = startProgram({
      environment: { PLINTH_DATA__POSTGRES_URL: `postgres://plinth:${planted.databasePassword}@127.0.0.1:1/none` },
      settings: ['data.engine=postgres', 'lifecycle.startTimeoutMs=2s'],
    })
    await assert.rejects(start, (error: Error) => {
      assert.match(error.message, /application_start_failed/)
      assert.ok(!error.message.includes(planted.databasePassword), error.message)
      return true
    })
  })
})
