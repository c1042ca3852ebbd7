import { type JsonValue, PlatformError } from '@plinth/base'
import { isRefusal, type PaymentRefusal } from '../domain/refusals.ts'

const messages: Record<PaymentRefusal['refused'], string> = {
  amount_not_positive: 'Cannot create the payment: its amount is not positive',
  id_reused: 'Cannot create the payment: its id belongs to a payment with other content',
  not_confirmable: 'Cannot confirm the payment: it was sent already',
  not_capturable: 'Cannot capture the payment: only an authorized payment can be captured',
  not_voidable: 'Cannot void the payment: only a payment that holds no money can be voided',
  not_refundable: 'Cannot refund the payment: no money was taken',
}

/**
 * Gives the payment, or throws the refusal as a fault of code `payments.<refusal>`: kind `invalid` where the request
 * could never be taken, else `precondition`.
 */
export function orThrow<T extends object>(outcome: T | PaymentRefusal): T {
  if (!isRefusal(outcome)) return outcome
  const { refused, ...facts } = outcome
  if (refused === 'amount_not_positive') {
    const violation = { field: 'amount.amountMinor', rule: 'positive', message: 'Expected an amount above 0' }
    throw new PlatformError(messages[refused], {
      kind: 'invalid',
      code: 'payments.amount_not_positive',
      details: { violations: [violation] },
    })
  }
  throw new PlatformError(messages[refused], {
    kind: 'precondition',
    code: `payments.${refused}`,
    details: facts as Readonly<Record<string, JsonValue>>,
  })
}
