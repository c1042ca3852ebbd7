import type { Reservation, ReservedLine } from '../domain/reservation.ts'
import type { StockedProduct } from '../usecases/ports.ts'
import type { ProductRow } from './product-statements.ts'
import type { ReservationRow } from './stock-statements.ts'

/** Rows are written by this service alone, so their JSON is trusted. */
export function fromRow(row: ProductRow): StockedProduct
export function fromRow(row: ProductRow | undefined): StockedProduct | undefined
export function fromRow(row: ProductRow | undefined): StockedProduct | undefined {
  if (!row) return undefined
  return {
    productId: row.productId,
    sku: row.sku,
    title: row.title,
    description: row.description,
    category: row.category,
    priceMinor: row.priceMinor,
    currency: row.currency,
    attributes: JSON.parse(row.attributes) as Readonly<Record<string, string>>,
    archived: row.archived === 1,
    createdAtMs: row.createdAtMs,
    updatedAtMs: row.updatedAtMs,
    version: row.version,
    available: row.available,
  }
}

export function fromReservationRow(row: ReservationRow | undefined): Reservation | undefined {
  if (!row) return undefined
  return {
    reservationId: row.reservationId,
    state: row.state as Reservation['state'],
    lines: JSON.parse(row.lines) as readonly ReservedLine[],
    expiresAtMs: row.expiresAtMs,
  }
}
