import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { orThrow } from './refusal-error.ts'

describe('orThrow', () => {
  it('orThrow() names the field of an amount that could never be paid', () => {
    assert.throws(
      () => orThrow({ refused: 'amount_not_positive', amountMinor: -1 }),
      (error) =>
        PlatformError.is(error) &&
        error.kind === 'invalid' &&
        error.code === 'payments.amount_not_positive' &&
        error.details.violations?.[0]?.field === 'amount.amountMinor',
    )
  })

  it('orThrow() throws any other refusal as a precondition with its facts', () => {
    assert.throws(
      () => orThrow({ refused: 'id_reused', paymentId: 'p' }),
      (error) => PlatformError.is(error) && error.kind === 'precondition' && error.details.paymentId === 'p',
    )
  })

  it('orThrow() gives anything else back', () => {
    const payment = { paymentId: 'p' }
    assert.equal(orThrow(payment), payment)
  })
})
