import type { OrderStatus } from './order-status.ts'

/** Every way in which orders say no. */
export type OrderRefusal =
  | { readonly refused: 'cart_empty' }
  | { readonly refused: 'cart_full'; readonly linesMax: number }
  | { readonly refused: 'total_too_large'; readonly totalMinor: number }
  | { readonly refused: 'not_payable'; readonly status: OrderStatus }
  | { readonly refused: 'too_late_to_pay'; readonly payByMs: number }
  | { readonly refused: 'not_cancellable'; readonly status: OrderStatus }
  | { readonly refused: 'not_shippable'; readonly status: OrderStatus }
  | { readonly refused: 'not_deliverable'; readonly status: OrderStatus }
  | { readonly refused: 'not_refundable'; readonly status: OrderStatus }
  | { readonly refused: 'not_editable'; readonly status: OrderStatus }
  | { readonly refused: 'not_settled'; readonly status: OrderStatus }
  | { readonly refused: 'currencies_mixed'; readonly currencies: readonly string[] }

export function isRefusal<T extends object>(decision: T | OrderRefusal): decision is OrderRefusal {
  return 'refused' in decision
}
