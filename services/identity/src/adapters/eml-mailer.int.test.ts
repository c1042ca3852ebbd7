import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createIds, createSeededRandom, Secret } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import type { Email } from '../domain/email.ts'
import { createEmlMailer } from './eml-mailer.ts'

async function setUp(mailsMax?: number) {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-mail-'))
  const clock = createFakeClock()
  const ids = createIds({ clock, random: createSeededRandom(1) })
  const mailer = createEmlMailer({ clock, ids }, { folder: join(folder, 'mail'), ...(mailsMax && { mailsMax }) })
  return {
    mailer,
    clock,
    mails: async () => (await readdir(join(folder, 'mail'))).sort().map((name) => join(folder, 'mail', name)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

const mail = { to: 'ada@example.com' as Email, subject: 'Hello', text: new Secret('line one\nline two, ä\n') }

describe('createEmlMailer()', () => {
  it('send() writes one whole mail that the owner alone can read', async () => {
    await using world = await setUp()
    await world.mailer.send(mail)
    const [file = ''] = await world.mails()
    assert.match(file, /2026-01-01T00-00-00-000Z-[0-9a-f-]{36}\.eml$/)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    const text = await readFile(file, 'utf8')
    const [head = '', body] = text.split('\r\n\r\n')
    assert.match(head, /^To: <ada@example\.com>$/m)
    assert.match(head, /^Date: Thu, 01 Jan 2026 00:00:00 \+0000$/m)
    assert.match(head, /^Message-ID: <[0-9a-f-]{36}@plinth\.localhost>$/m)
    assert.equal(body, 'line one\r\nline two, ä\r\n')
    assert.ok(!/[^\r]\n/.test(text))
  })

  it('send() keeps the newest and no drafts', async () => {
    await using world = await setUp(3)
    for (let at = 0; at < 5; at++) {
      await world.mailer.send({ ...mail, subject: `mail ${at}` })
      await world.clock.advance(1000)
    }
    const texts = await Promise.all((await world.mails()).map((file) => readFile(file, 'utf8')))
    assert.deepEqual(
      texts.map((text) => /^Subject: (.*)\r$/m.exec(text)?.[1]),
      ['mail 2', 'mail 3', 'mail 4'],
    )
  })
})
