import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Email } from './email.ts'
import { checkPassword } from './password-policy.ts'

const email = 'ada.lovelace@example.com' as Email

describe('checkPassword()', () => {
  for (const [password, why] of [
    ['', 'too_short'],
    ['nine char', 'too_short'],
    ['👩‍🚀👩‍🚀👩‍🚀', 'too_short'],
    ['a'.repeat(257), 'too_long'],
    ['ada.lovelace@example.com', 'like_email'],
    ['Ada.Lovelace', 'like_email'],
    ['Password123', 'too_common'],
    ['1234567890', 'too_common'],
    ['abababababab', 'too_uniform'],
    ['          ', 'too_uniform'],
  ] as const) {
    it(`refuses ${JSON.stringify(password.slice(0, 30))} as ${why}`, () => {
      assert.deepEqual(checkPassword(password, email), { refused: 'password_weak', why })
    })
  }

  for (const password of [
    'ten chars!',
    'correct horse',
    'пароль-из-слов',
    `${'ab'.repeat(127)}cd`,
    "'; drop table user; --",
  ]) {
    it(`takes ${JSON.stringify(password.slice(0, 30))}`, () => assert.equal(checkPassword(password, email), undefined))
  }
})
