import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { eventually, mailedToken, startIdentity } from './identity.fixture.ts'
import { sqlite } from './place.fixture.ts'

const password = 'MARKER-password-7f3a'
const newPassword = 'MARKER-new-password-9c1b'

/** All files below a folder, as bytes. */
async function filesOf(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    await Promise.all(files.map(async (file) => [file.slice(folder.length + 1), await readFile(file)] as const)),
  )
}

describe('secrets', () => {
  it('appear in no log line, error, event, announcement or database file', async (t) => {
    const announced: string[] = []
    const channels = ['plinth:messaging:outbox', 'plinth:data:commit', 'plinth:security:key_rotated']
    const listen = (message: unknown) => announced.push(inspect(message, { depth: 10 }))
    for (const name of channels) subscribe(name, listen)
    t.after(() => {
      for (const name of channels) unsubscribe(name, listen)
    })
    await using place = await sqlite()
    const errors: unknown[] = []
    const secrets = new Map([
      ['password', password],
      ['new password', newPassword],
    ])
    const identity = await startIdentity({ place })
    {
      const failing = (call: Promise<unknown>) =>
        call.then(
          () => assert.fail('it worked'),
          (error) => errors.push(error),
        )
      const email = 'ada@example.com'
      await identity.auth.register({ email, password })
      const mailed = await mailedToken(identity, email)
      secrets.set('mailed token', mailed)
      await failing(identity.auth.login({ email, password }))
      await identity.auth.verifyEmail({ token: mailed })
      await failing(identity.auth.login({ email, password: `${password}-wrong` }))
      const tokens = await identity.auth.login({ email, password })
      const next = await identity.auth.refresh({ refreshToken: tokens.refreshToken })
      for (const [name, given] of Object.entries({ tokens, next })) {
        secrets.set(`access token of ${name}`, given.accessToken)
        secrets.set(`refresh token of ${name}`, given.refreshToken)
      }
      const me = identity.as(next.accessToken)
      await identity.auth.changePassword({ currentPassword: password, newPassword }, me)
      await failing(identity.auth.changePassword({ currentPassword: password, newPassword }, me))
      await failing(identity.auth.register({ email: password, password: newPassword }))
      await failing(identity.auth.register({ email: 'b@example.com', password: 'short' }))
      await failing(identity.users.getMe({}, identity.as(`${next.accessToken}x`)))
      const { users } = identity.clients({ id: 'boss', roles: ['operator'] })
      const created = { email: 'eve@example.com', password }
      await users.createUser(created, { idempotencyKey: 'k' })
      await failing(users.createUser({ ...created, displayName: 'other' }, { idempotencyKey: 'k' }))
      identity.moveMs(31_000)
      await failing(identity.auth.refresh({ refreshToken: tokens.refreshToken }))
      await identity.admin.ensureOperator()
      secrets.set('operator', JSON.parse(await readFile(join(place.folder, 'operator.json'), 'utf8')).password)
      await eventually(() => (identity.events.length >= 5 ? true : undefined))
    }
    const traces = new Map<string, string>([
      ['log', identity.sink.lines.join('\n')],
      ['metrics', identity.metrics.expose().body],
      ['errors', inspect(errors, { depth: 10 }) + JSON.stringify(errors)],
      ['announcements', announced.join('\n')],
      [
        'events',
        inspect(identity.events) + Buffer.concat(identity.events.map(({ payload }) => payload)).toString('latin1'),
      ],
    ])
    await identity[Symbol.asyncDispose]()
    for (const [file, bytes] of await filesOf(place.folder)) {
      // The mailbox and the operator's own file are where these two belong.
      if (!file.startsWith('mail/') && file !== 'operator.json') traces.set(file, bytes.toString('latin1'))
    }
    assert.ok(
      traces.has('identity.db') && announced.length > 0 && errors.length === 8,
      `${[...traces.keys()]} ${errors.length}`,
    )
    for (const [what, text] of traces) {
      for (const [name, secret] of secrets) assert.ok(!text.includes(secret), `${name} in ${what}`)
    }
  })
})
