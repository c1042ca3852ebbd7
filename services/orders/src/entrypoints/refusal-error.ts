import { type JsonValue, PlatformError } from '@plinth/base'
import { isRefusal, type OrderRefusal } from '../domain/refusals.ts'

const messages: Record<OrderRefusal['refused'], string> = {
  cart_empty: 'Cannot place the order: there is nothing in it',
  cart_full: 'Cannot add to the cart: it has as many lines as an order takes',
  total_too_large: 'Cannot place the order: its total is too large',
  not_payable: 'Cannot pay the order: only a placed order can be paid',
  too_late_to_pay: 'Cannot pay the order: its time to pay is over',
  not_cancellable: 'Cannot cancel the order: it has left the house or is settled',
  not_shippable: 'Cannot ship the order: only a paid order can be shipped',
  not_deliverable: 'Cannot note the delivery: only a shipped order can be delivered',
  not_refundable: 'Cannot refund the order: there is no money to give back',
  not_editable: 'Cannot change the order: it has left the house or is settled',
  not_settled: 'Cannot delete the order: it is not settled',
  currencies_mixed: 'Cannot place the order: its products are priced in different currencies',
}

/** Gives the result, or throws the refusal as a fault of kind `precondition` and code `orders.<refusal>`. */
export function orThrow<T extends object>(outcome: T | OrderRefusal): T {
  if (!isRefusal(outcome)) return outcome
  const { refused, ...facts } = outcome
  throw new PlatformError(messages[refused], {
    kind: 'precondition',
    code: `orders.${refused}`,
    details: facts as Readonly<Record<string, JsonValue>>,
  })
}
