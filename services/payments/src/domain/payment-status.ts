/** Where a payment stands; what each command makes of it is in `payment.ts`. */
export type PaymentStatus =
  | 'created'
  | 'processing'
  | 'unknown'
  | 'authorized'
  | 'captured'
  | 'failed'
  | 'voided'
  | 'refunding'
  | 'refunded'
