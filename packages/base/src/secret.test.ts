import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { format, inspect } from 'node:util'
import { Secret } from './secret.ts'

describe('Secret', () => {
  const secret = new Secret('hunter2')

  it('reveal() gives the value, of any type', () => {
    assert.equal(secret.reveal(), 'hunter2')
    assert.deepEqual(new Secret({ key: 1 }).reveal(), { key: 1 })
  })

  const prints: [string, () => string][] = [
    ['String()', () => String(secret)],
    ['a template', () => `${secret}`],
    ['concatenation', () => `x${secret}`],
    ['JSON', () => JSON.stringify({ secret })],
    ['inspect', () => inspect({ secret }, { depth: 9, showHidden: true, getters: true })],
    ['inspect without custom functions', () => inspect(secret, { customInspect: false, showHidden: true })],
    ['format', () => format('%s %o %j', secret, secret, secret)],
    ['an error message', () => String(new Error(`Cannot use ${secret}`))],
    ['its own properties', () => JSON.stringify(Reflect.ownKeys(secret))],
    ['a spread', () => JSON.stringify({ ...secret })],
  ]
  for (const [name, print] of prints) {
    it(`does not show in ${name}`, () => assert.doesNotMatch(print(), /hunter2/))
  }
})
