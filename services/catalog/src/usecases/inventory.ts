import type { Clock } from '@plinth/base'
import {
  commitReservation,
  expireReservation,
  prolongReservation,
  type Reservation,
  releaseReservation,
} from '../domain/reservation.ts'
import { outOfStock, productNotFound, reservationExpired, reservationNotFound, stockBelowZero } from './faults.ts'
import type { CatalogStore, OnceKey, Shortage, Stock } from './ports.ts'

export interface InventoryDeps {
  readonly store: CatalogStore
  readonly clock: Pick<Clock, 'nowMs'>
}

export interface Reserve {
  readonly reservationId: string
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[]
  readonly holdMs: number
}

/** Reservations released by one sweep; the rest waits for the next. */
const sweepBatch = 200

/** Promises, sells and gives back stock. Every command may be repeated with the effect of once. */
export function createInventory(deps: InventoryDeps) {
  const { store, clock } = deps
  return {
    reserve: (request: Reserve): Promise<Reservation> =>
      store.unit(async (unit) => {
        const known = await unit.reservation(request.reservationId)
        const { reservationId, lines, holdMs } = request
        const expiresAtMs = clock.nowMs() + holdMs
        if (known?.state === 'committed') return known
        if (known?.state === 'held') {
          const longer = prolongReservation(known, expiresAtMs)
          if (longer !== known) await unit.prolong(longer)
          return longer
        }
        const reserved = await unit.reserve({ reservationId, lines: merge(lines), expiresAtMs })
        if (isShort(reserved)) throw outOfStock(reserved)
        return reserved
      }),
    async commit(reservationId: string): Promise<void> {
      const sold = await store.unit(async (unit) => {
        const reservation = await unit.reservation(reservationId)
        if (!reservation) throw reservationNotFound(reservationId)
        const change = commitReservation(reservation)
        return change.reservation === reservation || (await unit.apply(change))
      })
      if (!sold) throw reservationExpired(reservationId)
    },
    release: (reservationId: string): Promise<void> =>
      store.unit(async (unit) => {
        const reservation = await unit.reservation(reservationId)
        const change = reservation && releaseReservation(reservation)
        if (change && change.reservation !== reservation) await unit.apply(change)
      }),
    async stock(productId: string): Promise<Stock> {
      return foundStock(await store.stock(productId), productId)
    },
    adjust: (productId: string, delta: number, once: OnceKey | undefined): Promise<Stock> =>
      store.unit(async (unit) => {
        const work = async () => {
          foundStock(await unit.stock(productId), productId)
          if (!(await unit.adjust(productId, delta))) throw stockBelowZero(productId)
          return foundStock(await unit.stock(productId), productId)
        }
        return once ? await unit.once(once, work) : await work()
      }),
    /** Gives back the stock of reservations nobody took up. Answers how many. */
    async sweep(): Promise<number> {
      const nowMs = clock.nowMs()
      const ids = await store.expired(nowMs, sweepBatch)
      if (ids.length === 0) return 0
      return await store.unit(async (unit) => {
        let released = 0
        for (const id of ids) {
          const reservation = await unit.reservation(id)
          const change = reservation && expireReservation(reservation, nowMs)
          if (change && change.reservation !== reservation && (await unit.apply(change))) released++
        }
        return released
      })
    },
  }
}

export type Inventory = ReturnType<typeof createInventory>

function foundStock(stock: Stock | undefined, productId: string): Stock {
  if (stock) return stock
  throw productNotFound(productId)
}

function isShort(reserved: Reservation | readonly Shortage[]): reserved is readonly Shortage[] {
  return Array.isArray(reserved)
}

/** A product named twice is one line of the sum. */
function merge(lines: Reserve['lines']): Reserve['lines'] {
  const byProduct = new Map<string, number>()
  for (const { productId, quantity } of lines) byProduct.set(productId, (byProduct.get(productId) ?? 0) + quantity)
  return byProduct.size === lines.length
    ? lines
    : Array.from(byProduct, ([productId, quantity]) => ({ productId, quantity }))
}
