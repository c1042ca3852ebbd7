import { idempotent, type SqlWriter } from '@plinth/data'
import type { Outbox } from '@plinth/messaging'
import type { Product } from '../domain/product.ts'
import type { Reservation, ReservationChange, ReservedLine } from '../domain/reservation.ts'
import { wordsOf } from '../domain/search-text.ts'
import type { CatalogUnit, FeedType, ReserveWish, Shortage } from '../usecases/ports.ts'
import { encodeProductChange } from '../wire/product-event.ts'
import { fromReservationRow, fromRow } from './product-row.ts'
import * as products from './product-statements.ts'
import * as stock from './stock-statements.ts'

type Writer = SqlWriter<unknown>
export interface SqlCatalogUnitDeps {
  readonly outbox: Outbox
  readonly clock: { nowMs(): number }
  readonly ids: { next(): string }
  /** Called after a commit, with the products whose facts or stock it changed. */
  readonly changed: (productIds: ReadonlySet<string>) => void
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** One unit of work of the catalogue. */
export function createCatalogUnit(tx: Writer, deps: SqlCatalogUnitDeps): CatalogUnit {
  const touched = new Set<string>()
  const find = async (productId: string) => fromRow(await tx.get(products.findById, { productId }))

  function touch(productIds: Iterable<string>): void {
    if (touched.size === 0) tx.afterCommit(() => deps.changed(touched))
    for (const productId of productIds) touched.add(productId)
  }

  async function announce(productId: string, type: FeedType): Promise<void> {
    await tx.get(products.lockChanges, {})
    await tx.run(products.insertChange, { productId, type })
    const product = await find(productId)
    if (product) {
      await deps.outbox.add(tx, [
        encodeProductChange({ type, product }, { id: deps.ids.next(), nowMs: deps.clock.nowMs() }),
      ])
    }
    touch([productId])
  }

  return {
    find,
    findBySku: async (sku) => fromRow(await tx.get(products.findBySku, { sku })),
    async save({ product, event }) {
      await write(tx, product)
      if (event) await announce(product.productId, event)
    },
    stock: (productId) => tx.get(stock.findStock, { productId }),
    async adjust(productId, delta) {
      const { changes } = await tx.run(stock.adjustStock, { productId, delta })
      if (changes === 1) await announce(productId, 'stock_changed')
      return changes === 1
    },
    reservation: async (reservationId) => fromReservationRow(await tx.get(stock.findReservation, { reservationId })),
    reserve(wish) {
      touch(wish.lines.map((line) => line.productId))
      return reserve(tx, wish)
    },
    async prolong({ reservationId, expiresAtMs }) {
      await tx.run(stock.prolongReservation, { reservationId, expiresAtMs })
    },
    apply(change) {
      touch(change.moves.map((move) => move.productId))
      return apply(tx, change)
    },
    async once<T>(key: Parameters<CatalogUnit['once']>[0], work: () => Promise<T>): Promise<T> {
      const { answer } = await idempotent(tx, { ...key, nowMs: deps.clock.nowMs() }, async () =>
        encoder.encode(JSON.stringify(await work())),
      )
      return JSON.parse(decoder.decode(answer)) as T
    },
  }
}

async function write(tx: Writer, product: Product): Promise<void> {
  const row = { ...product, attributes: JSON.stringify(product.attributes), archived: Number(product.archived) }
  if (product.version === 1) {
    await tx.run(products.insertProduct, row)
    await tx.run(stock.insertStock, { productId: product.productId })
  } else {
    await tx.run(products.updateProduct, row)
  }
  const words = (text: string) => wordsOf(text).join(' ')
  await tx.run(products.indexProduct, {
    productId: product.productId,
    title: words(product.title),
    description: words(product.description),
    facts: words(`${product.category} ${product.sku} ${Object.values(product.attributes).join(' ')}`),
  })
}

async function reserve(tx: Writer, wish: ReserveWish): Promise<Reservation | readonly Shortage[]> {
  const taken = new Map<string, ReservedLine>()
  const short: Shortage[] = []
  // In one order everywhere, so that two reservations on PostgreSQL cannot wait for each other.
  for (const { productId, quantity } of wish.lines.toSorted((a, b) => (a.productId < b.productId ? -1 : 1))) {
    const price = await tx.get(stock.priceOf, { productId })
    const move = { productId, available: -quantity, held: quantity, sold: 0 }
    if (price && (await tx.run(stock.moveStock, move)).changes === 1) {
      taken.set(productId, { productId, quantity, ...price })
    } else {
      const available = price ? ((await tx.get(stock.findStock, { productId }))?.available ?? 0) : 0
      short.push({ productId, wanted: quantity, available })
    }
  }
  if (short.length > 0) return short
  const reservation: Reservation = {
    reservationId: wish.reservationId,
    state: 'held',
    lines: wish.lines.flatMap((line) => taken.get(line.productId) ?? []),
    expiresAtMs: wish.expiresAtMs,
  }
  await tx.run(stock.writeReservation, { ...reservation, lines: JSON.stringify(reservation.lines) })
  return reservation
}

/** Checks all figures before it moves the first, so that a change which cannot be made leaves nothing behind. */
async function apply(tx: Writer, change: ReservationChange): Promise<boolean> {
  const moves = change.moves.toSorted((a, b) => (a.productId < b.productId ? -1 : 1))
  if (moves.some((move) => move.available < 0)) {
    for (const move of moves) {
      const figures = await tx.get(stock.findStock, { productId: move.productId })
      if (!figures || figures.available + move.available < 0) return false
    }
  }
  for (const move of moves) await tx.run(stock.moveStock, move)
  const { reservationId, state } = change.reservation
  await tx.run(stock.updateReservation, { reservationId, state })
  return true
}
