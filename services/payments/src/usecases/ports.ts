import type { Payment, PaymentChange, PendingOperation, Verdict } from '../domain/payment.ts'
import type { PaymentStatus } from '../domain/payment-status.ts'

export interface PaymentQuery {
  readonly status: PaymentStatus | undefined
  readonly orderId: string | undefined
  readonly limit: number
  /** Continue after this payment; `undefined` begins with the newest. */
  readonly after: { readonly timeMs: number; readonly id: string } | undefined
}

export interface PaymentUnit {
  find(paymentId: string): Promise<Payment | undefined>
  /** Writes a new payment with its event. */
  insert(change: PaymentChange): Promise<void>
  /** Writes a changed payment with its event. */
  update(change: PaymentChange): Promise<void>
  /** Whether this report of the provider was not seen before; remembers that it is now. */
  firstReport(provider: string, reportId: string): Promise<boolean>
}

/** Where payments are kept. */
export interface PaymentStore {
  find(paymentId: string): Promise<Payment | undefined>
  list(query: PaymentQuery): Promise<readonly Payment[]>
  /** Payments with something to ask the provider by `nowMs`, the most overdue first. */
  due(nowMs: number, limit: number): Promise<readonly Payment[]>
  /** How many payments wait for an outcome, and since when the oldest does. */
  waiting(): Promise<Waiting>
  /** Forgets up to `rowsMax` reports seen before `beforeMs`. Answers how many. */
  forgetReports(before: { readonly beforeMs: number; readonly rowsMax: number }): Promise<number>
  /** A durable unit of work; see `SqlStore.write`. */
  unit<T>(work: (unit: PaymentUnit) => Promise<T>): Promise<T>
}

export interface Waiting {
  readonly count: number
  readonly sinceMs: number | undefined
}

export interface GatewayRequest {
  readonly operation: PendingOperation
  readonly payment: Payment
}

/**
 * A payment provider. Every operation carries a key made of the payment's id and the operation, and the provider
 * performs one key once, however often it is asked: that is what makes asking again safe. An answer that does not come
 * is the verdict `lost`, never an exception.
 */
export interface Gateway {
  readonly provider: string
  perform(request: GatewayRequest, signal: AbortSignal): Promise<Verdict>
  /** What became of an operation; `unheard` when the provider does not know it. */
  lookUp(request: GatewayRequest, signal: AbortSignal): Promise<Verdict | { readonly outcome: 'unheard' }>
}

/** What a provider reports on its own account. Only a hint: what is true is asked of it. */
export interface ProviderReport {
  readonly reportId: string
  readonly paymentId: string
}
