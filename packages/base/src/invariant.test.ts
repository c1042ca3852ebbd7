import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InvariantError, invariant } from './invariant.ts'

describe('invariant()', () => {
  it('lets pass what holds', () => invariant(1, 'one is truthy'))

  it('throws an InvariantError that says what broke', () => {
    assert.throws(() => invariant(0, 'sum is zero'), {
      name: 'InvariantError',
      message: 'Invariant broken: sum is zero',
    })
    assert.throws(() => invariant('', 'empty'), InvariantError)
  })
})
