import type { Order, OrderChange, OrderEvent } from '../domain/order.ts'
import type { OrderStatus } from '../domain/order-status.ts'

/** Who asks, as far as orders care. */
export interface Caller {
  readonly id: string
  readonly isOperator: boolean
}

/** A command's idempotency: the same key with the same fingerprint gets the first answer again. */
export interface OnceKey {
  /** Caller and verb, so that keys of different people or commands never meet. */
  readonly scope: string
  readonly key: string
  readonly fingerprint: string
}

export interface CartLine {
  readonly productId: string
  readonly quantity: number
}

export interface TimelineEntry extends OrderEvent {
  readonly sequence: number
  readonly atMs: number
}

export interface OrderQuery {
  readonly customerId: string | undefined
  readonly status: OrderStatus | undefined
  readonly limit: number
  /** Continue after this order; `undefined` begins with the newest. */
  readonly after: { readonly timeMs: number; readonly id: string } | undefined
}

export interface ForgetBefore {
  readonly beforeMs: number
  readonly rowsMax: number
}

/** What can be done inside one unit of work. All of it is committed or none. */
export interface OrderUnit {
  find(orderId: string): Promise<Order | undefined>
  /**
   * Writes a new order, its timeline and its events to the outbox, unless there is one with its id: then it answers that
   * and writes nothing.
   */
  add(change: OrderChange): Promise<Order | undefined>
  /** Writes the order, its timeline and its events to the outbox. Throws `orders.changed` if another unit was first. */
  save(change: OrderChange): Promise<void>
  cart(customerId: string): Promise<readonly CartLine[]>
  setCartLine(customerId: string, line: CartLine): Promise<void>
  clearCart(customerId: string): Promise<void>
  /** Runs `work` unless the key has an answer already; then that answer. The answer is plain data. */
  once<T>(key: OnceKey, work: () => Promise<T>): Promise<{ readonly value: T; readonly replayed: boolean }>
  /** Whether this message was not handled before; remembers that it is now. */
  firstTime(group: string, messageId: string): Promise<boolean>
}

/** Where orders and carts are kept. */
export interface OrderStore {
  find(orderId: string): Promise<Order | undefined>
  list(query: OrderQuery): Promise<readonly Order[]>
  timeline(orderId: string): Promise<readonly TimelineEntry[]>
  cart(customerId: string): Promise<readonly CartLine[]>
  /** The stored answer of a key, if there is one. Throws `data.idempotency_mismatch` for another fingerprint. */
  answered<T>(key: OnceKey): Promise<T | undefined>
  /** Ids of unpaid orders whose time is over, oldest first. */
  expired(nowMs: number, limit: number): Promise<readonly string[]>
  /** Ids of orders that wait for a payment or a refund and have not changed since `beforeMs`, oldest first. */
  waiting(beforeMs: number, limit: number): Promise<readonly string[]>
  /** Forgets up to `rowsMax` stored answers given before `beforeMs`. Answers how many. */
  forgetAnswers(before: ForgetBefore): Promise<number>
  /** Forgets up to `rowsMax` messages handled before `beforeMs`. Answers how many. */
  forgetMessages(before: ForgetBefore): Promise<number>
  /** A durable unit of work; see `SqlStore.write`. */
  unit<T>(work: (unit: OrderUnit) => Promise<T>): Promise<T>
}

/** Stock, as the catalogue keeps it. Every call may be repeated. */
export interface Inventory {
  /** All lines or none. Throws `catalog.out_of_stock`. */
  reserve(
    orderId: string,
    request: { readonly lines: readonly CartLine[]; readonly holdMs: number },
  ): Promise<readonly ReservedLine[]>
  /** `gone` when the reservation expired and the stock was sold meanwhile, or nobody remembers it. */
  commit(orderId: string): Promise<'sold' | 'gone'>
  release(orderId: string): Promise<void>
}

export interface ReservedLine {
  readonly productId: string
  readonly title: string
  readonly quantity: number
  readonly unitPriceMinor: number
  readonly currency: string
}

/**
 * Money. Every call may be repeated. Outcomes arrive as payment events; one that is known already is answered at once,
 * so that asking again also finds an outcome whose event got lost.
 */
export interface Payments {
  request(wish: PaymentWish): Promise<PaymentOutcome | undefined>
  refund(paymentId: string, reason: string): Promise<PaymentOutcome | undefined>
}

/** What became of a payment. */
export interface PaymentOutcome {
  readonly type: 'payment_captured' | 'payment_failed' | 'payment_voided' | 'payment_refunded'
  /** Why it failed; empty otherwise. */
  readonly failure: string
}

export interface PaymentWish {
  readonly paymentId: string
  readonly orderId: string
  readonly totalMinor: number
  readonly currency: string
  readonly paymentMethod: string
}

/** Tells whoever watches that an order changed. Called after the commit; must not throw. */
export interface OrderFeed {
  publish(order: Order): void
  /** Listens from now on. Keeps only the newest state when the reader is slow. */
  watch(orderId: string): OrderWatch
}

/** Someone who listens to one order; disposing it stops listening. */
export interface OrderWatch extends Disposable {
  /** The next newer state; `undefined` once the signal has aborted. */
  next(signal: AbortSignal): Promise<Order | undefined>
}
