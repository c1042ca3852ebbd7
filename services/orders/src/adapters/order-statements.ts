import { sql } from '@plinth/data'
import type { CartLine } from '../usecases/ports.ts'
import type { OrderRow } from './order-schema.ts'

export const find = sql<{ orderId: string }, OrderRow>`select * from customer_order where order_id = ${'orderId'}`

export const insert = sql<OrderRow>`
  insert into customer_order (order_id, customer_id, status, lines, currency, total_minor, note, shipping_address,
    created_at_ms, updated_at_ms, pay_by_ms, payment_id, payment_method, payment_failure, tracking_code, cancel_reason,
    cancel_requested, goods_left, deleted, version, timeline)
  values (${'order_id'}, ${'customer_id'}, ${'status'}, ${'lines'}, ${'currency'}, ${'total_minor'}, ${'note'},
    ${'shipping_address'}, ${'created_at_ms'}, ${'updated_at_ms'}, ${'pay_by_ms'}, ${'payment_id'},
    ${'payment_method'}, ${'payment_failure'}, ${'tracking_code'}, ${'cancel_reason'}, ${'cancel_requested'},
    ${'goods_left'}, ${'deleted'}, ${'version'}, ${'timeline'})
  on conflict (order_id) do nothing`

export const update = sql<OrderRow & { versionBefore: number }>`
  update customer_order set status = ${'status'}, note = ${'note'}, shipping_address = ${'shipping_address'},
    updated_at_ms = ${'updated_at_ms'}, payment_id = ${'payment_id'}, payment_method = ${'payment_method'},
    payment_failure = ${'payment_failure'}, tracking_code = ${'tracking_code'}, cancel_reason = ${'cancel_reason'},
    cancel_requested = ${'cancel_requested'}, goods_left = ${'goods_left'}, deleted = ${'deleted'},
    version = ${'version'}, timeline = timeline || ${'timeline'}
  where order_id = ${'order_id'} and version = ${'versionBefore'}`

export const timeline = sql<{ orderId: string }, { timeline: string }>`
  select timeline from customer_order where order_id = ${'orderId'}`

export const expired = sql<{ nowMs: number; limit: number }, { order_id: string }>`
  select order_id from customer_order where status = 'placed' and pay_by_ms <= ${'nowMs'}
  order by pay_by_ms limit ${'limit'}`

export const waiting = sql<{ beforeMs: number; limit: number }, { order_id: string }>`
  select order_id from customer_order where status in ('paying', 'refunding') and updated_at_ms < ${'beforeMs'}
  order by updated_at_ms limit ${'limit'}`

export const cart = sql<{ customerId: string }, CartLine>`
  select product_id as "productId", quantity from cart_line where customer_id = ${'customerId'}
  order by product_id limit 1000`

export const setCartLine = sql<{ customerId: string; productId: string; quantity: number }>`
  insert into cart_line (customer_id, product_id, quantity) values (${'customerId'}, ${'productId'}, ${'quantity'})
  on conflict (customer_id, product_id) do update set quantity = excluded.quantity`

export const removeCartLine = sql<{ customerId: string; productId: string }>`
  delete from cart_line where customer_id = ${'customerId'} and product_id = ${'productId'}`

export const clearCart = sql<{ customerId: string }>`delete from cart_line where customer_id = ${'customerId'}`
