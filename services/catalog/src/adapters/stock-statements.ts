import { sql } from '@plinth/data'
import type { StockMove } from '../domain/reservation.ts'
import type { Stock } from '../usecases/ports.ts'

export interface ReservationRow {
  readonly reservationId: string
  readonly state: string
  readonly lines: string
  readonly expiresAtMs: number
}

export const findStock = sql<{ productId: string }, Stock>`
  select product_id as "productId", available, held, sold from stock where product_id = ${'productId'}`

export const insertStock = sql<{ productId: string }>`
  insert into stock (product_id, available, held, sold) values (${'productId'}, 0, 0, 0)`

export const adjustStock = sql<{ productId: string; delta: number }>`
  update stock set available = available + ${'delta'}
  where product_id = ${'productId'} and available + ${'delta'} >= 0`

/** Moves the figures of one product, unless one would fall below 0: then no row changes. */
export const moveStock = sql<StockMove>`
  update stock set available = available + ${'available'}, held = held + ${'held'}, sold = sold + ${'sold'}
  where product_id = ${'productId'} and available + ${'available'} >= 0 and held + ${'held'} >= 0
    and sold + ${'sold'} >= 0`

/** What a reservation notes of a product; nothing for an archived one, which cannot be ordered. */
export const priceOf = sql<{ productId: string }, { title: string; unitPriceMinor: number; currency: string }>`
  select title, price_minor as "unitPriceMinor", currency from product
  where product_id = ${'productId'} and archived = 0`

export const findReservation = sql<{ reservationId: string }, ReservationRow>`
  select reservation_id as "reservationId", state, lines, expires_at_ms as "expiresAtMs" from reservation
  where reservation_id = ${'reservationId'}`

/** Writes a reservation, over one of the same id that was released before. */
export const writeReservation = sql<ReservationRow>`
  insert into reservation (reservation_id, state, lines, expires_at_ms)
  values (${'reservationId'}, ${'state'}, ${'lines'}, ${'expiresAtMs'})
  on conflict (reservation_id) do update
  set state = excluded.state, lines = excluded.lines, expires_at_ms = excluded.expires_at_ms`

export const updateReservation = sql<{ reservationId: string; state: string }>`
  update reservation set state = ${'state'} where reservation_id = ${'reservationId'}`

export const prolongReservation = sql<{ reservationId: string; expiresAtMs: number }>`
  update reservation set expires_at_ms = ${'expiresAtMs'} where reservation_id = ${'reservationId'}`

export const forgetReservations = sql<{ state: string; beforeMs: number; rowsMax: number }>`
  delete from reservation where reservation_id in (
    select reservation_id from reservation where state = ${'state'} and expires_at_ms < ${'beforeMs'}
    order by expires_at_ms limit ${'rowsMax'}
  )`

export const expiredReservations = sql<{ nowMs: number; limit: number }, { reservationId: string }>`
  select reservation_id as "reservationId" from reservation where state = 'held' and expires_at_ms <= ${'nowMs'}
  order by expires_at_ms limit ${'limit'}`
