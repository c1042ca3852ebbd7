import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import fc from 'fast-check'
import type { SqlValue } from './statement.ts'
import { bindNamed, bindPositional, toBound } from './values.ts'

describe('toBound()', () => {
  it('makes integers of whole numbers and leaves fractions', () => {
    assert.deepEqual(
      [0, -0, 1, -1, 1.5, 2 ** 53 - 1, 2 ** 53, 1e300].map((value) => toBound(value, 'n')),
      [0n, 0n, 1n, -1n, 1.5, 2n ** 53n - 1n, 2 ** 53, 1e300],
    )
  })

  it('accepts any value, or refuses it with a TypeError or a fault of kind invalid', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withTypedArray: true }), (value) => {
        try {
          const bound = toBound(value as SqlValue, 'any')
          assert.ok(bound === null || ['string', 'number', 'bigint', 'object'].includes(typeof bound))
        } catch (error) {
          assert.ok(error instanceof TypeError || (PlatformError.is(error) && error.kind === 'invalid'))
        }
      }),
    )
  })

  it('accepts a text exactly if it is well formed and holds no NUL', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', '\0', '\ud800', '\udfff'), (text, bad) => {
        const whole = `${text}${bad}`
        if (whole.isWellFormed() && !whole.includes('\0')) assert.equal(toBound(whole, 'text'), whole)
        else assert.throws(() => toBound(whole, 'text'), { code: 'data.text_not_storable' })
      }),
    )
  })
})

describe('bindNamed()', () => {
  it('takes what a statement names, in its order, and ignores the rest', () => {
    assert.deepEqual(bindNamed(['b', 'a', 'b'], { a: 1, b: 'x', c: {} }), ['x', 1n, 'x'])
  })

  it('names the parameter that is missing or holds no value', () => {
    for (const params of [{}, { id: undefined }, null, undefined]) {
      assert.throws(() => bindNamed(['id'], params), {
        name: 'TypeError',
        message: 'Cannot run the statement: parameter "id" is missing',
      })
    }
    assert.throws(() => bindNamed(['id'], { id: Number.NaN }), {
      message: 'Cannot bind parameter "id": NaN is not a finite number',
    })
    assert.throws(() => bindPositional(['a', {}]), {
      message: 'Cannot bind parameter 2: expected text, a number, bytes or null, received [object Object]',
    })
  })

  it('does not find a value on the prototype of the parameters', () => {
    assert.throws(() => bindNamed(['constructor'], {}), TypeError)
  })
})
