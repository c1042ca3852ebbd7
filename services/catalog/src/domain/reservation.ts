/**
 * Stock that is promised: held until a moment, then sold or given back. The figures of a product move with it:
 * holding takes from available to held, selling from held to sold, giving back returns them to available.
 */
export interface Reservation {
  readonly reservationId: string
  readonly state: 'held' | 'committed' | 'released' | 'expired'
  readonly lines: readonly ReservedLine[]
  readonly expiresAtMs: number
}

export interface ReservedLine {
  readonly productId: string
  readonly quantity: number
  readonly title: string
  readonly unitPriceMinor: number
  readonly currency: string
}

/** How the figures of one product move. */
export interface StockMove {
  readonly productId: string
  readonly available: number
  readonly held: number
  readonly sold: number
}

/** A decision: the reservation after it, and the moves that make it true. */
export interface ReservationChange {
  readonly reservation: Reservation
  readonly moves: readonly StockMove[]
}

/**
 * What a held reservation is when it is asked for again: the same stock, held for no shorter than the new asker needs.
 * Whoever comes back after a lost answer counts his time from now.
 */
export function prolongReservation(reservation: Reservation, expiresAtMs: number): Reservation {
  return expiresAtMs > reservation.expiresAtMs ? { ...reservation, expiresAtMs } : reservation
}

/** Selling what is held; what expired meanwhile has to be taken from available again, which may fail. */
export function commitReservation(reservation: Reservation): ReservationChange {
  switch (reservation.state) {
    case 'committed':
      return { reservation, moves: [] }
    case 'held':
      return change(reservation, 'committed', (quantity) => ({ available: 0, held: -quantity, sold: quantity }))
    case 'released':
    case 'expired':
      return change(reservation, 'committed', (quantity) => ({ available: -quantity, held: 0, sold: quantity }))
    default:
      return reservation.state satisfies never
  }
}

export function releaseReservation(reservation: Reservation): ReservationChange {
  switch (reservation.state) {
    case 'released':
    case 'expired':
      return { reservation, moves: [] }
    case 'held':
      return change(reservation, 'released', (quantity) => ({ available: quantity, held: -quantity, sold: 0 }))
    case 'committed':
      return change(reservation, 'released', (quantity) => ({ available: quantity, held: 0, sold: -quantity }))
    default:
      return reservation.state satisfies never
  }
}

export function expireReservation(reservation: Reservation, nowMs: number): ReservationChange {
  if (reservation.state !== 'held' || nowMs < reservation.expiresAtMs) return { reservation, moves: [] }
  return change(reservation, 'expired', (quantity) => ({ available: quantity, held: -quantity, sold: 0 }))
}

function change(
  reservation: Reservation,
  state: Reservation['state'],
  move: (quantity: number) => Omit<StockMove, 'productId'>,
): ReservationChange {
  return {
    reservation: { ...reservation, state },
    moves: reservation.lines.map(({ productId, quantity }) => ({ productId, ...move(quantity) })),
  }
}
