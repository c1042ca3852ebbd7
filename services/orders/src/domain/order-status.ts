/** Where an order stands; what each command makes of it is in `order.ts`. */
export type OrderStatus =
  | 'placed'
  | 'paying'
  | 'paid'
  | 'shipped'
  | 'delivered'
  | 'cancelled'
  | 'refunding'
  | 'refunded'
