import type { PaymentStatus } from './payment-status.ts'

/** Every way in which payments say no. */
export type PaymentRefusal =
  | { readonly refused: 'amount_not_positive'; readonly amountMinor: number }
  | { readonly refused: 'id_reused'; readonly paymentId: string }
  | { readonly refused: 'not_confirmable'; readonly status: PaymentStatus }
  | { readonly refused: 'not_capturable'; readonly status: PaymentStatus }
  | { readonly refused: 'not_voidable'; readonly status: PaymentStatus }
  | { readonly refused: 'not_refundable'; readonly status: PaymentStatus }

export function isRefusal<T extends object>(decision: T | PaymentRefusal): decision is PaymentRefusal {
  return 'refused' in decision
}
