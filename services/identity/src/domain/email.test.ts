import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { normalizeEmail } from './email.ts'

describe('normalizeEmail()', () => {
  for (const [given, expected] of [
    ['ada@example.com', 'ada@example.com'],
    ['  Ada.Lovelace+shop@EXAMPLE.com\n', 'ada.lovelace+shop@example.com'],
    ["o'brien@example.co.uk", "o'brien@example.co.uk"],
    ['operator@localhost', 'operator@localhost'],
    ['cafe\u0301@example.com', 'café@example.com'],
    ['ada@müller.example', 'ada@müller.example'],
    [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
  ] as const) {
    it(`brings ${JSON.stringify(given)} to its one form`, () => assert.equal(normalizeEmail(given), expected))
  }

  for (const given of [
    '',
    '@',
    'ada',
    'ada@',
    '@example.com',
    'ada@@example.com',
    'ada@exa mple.com',
    'ada@-example.com',
    'ada@example-.com',
    'ada@.com',
    'ada@example..com',
    'a b@example.com',
    'ada\r\nBcc: all@example.com',
    'a\u0000b@example.com',
    'a\u202eb@example.com',
    '"ada"@example.com',
    '<ada@example.com>',
    'ada@example.com,eve@example.com',
    `${'a'.repeat(65)}@example.com`,
    `ada@${'a'.repeat(64)}.com`,
    `ada@${'a.'.repeat(126)}com`,
  ]) {
    it(`refuses ${JSON.stringify(given.slice(0, 40))}`, () => {
      assert.deepEqual(normalizeEmail(given), { refused: 'email_invalid' })
    })
  }

  it('is stable: what it made it makes again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), fc.string()), (text) => {
        const once = normalizeEmail(text)
        if (typeof once === 'string') assert.equal(normalizeEmail(once), once)
      }),
    )
  })
})
