/**
 * The table of contents: everything that can be done with payments.
 * @module
 */
import { capturePayment, confirmPayment, makeDue, type Payment, refundPayment, voidPayment } from '../domain/payment.ts'
import { isRefusal, type PaymentRefusal } from '../domain/refusals.ts'
import { type ChangePaymentDeps, createChangePayment, foundPayment } from './change-payment.ts'
import { createCreatePayment } from './create-payment.ts'
import { createForgetOld, type ForgetOldSettings } from './forget-old.ts'
import type { PaymentQuery, PaymentStore } from './ports.ts'
import { createReceiveReport } from './receive-report.ts'
import type { SettlePayment } from './settle-payment.ts'

export interface PaymentsDeps extends ChangePaymentDeps {
  readonly store: PaymentStore
  readonly settle: SettlePayment
  readonly settings: () => ForgetOldSettings
}

type Outcome = Promise<Payment | PaymentRefusal>

export interface PaymentPage {
  readonly payments: readonly Payment[]
  readonly next: PaymentQuery['after']
}

export function createPayments(deps: PaymentsDeps) {
  const change = createChangePayment(deps)
  return {
    create: createCreatePayment(deps),
    confirm: (paymentId: string): Outcome => change(paymentId, confirmPayment),
    capture: (paymentId: string): Outcome => change(paymentId, capturePayment),
    void: (paymentId: string): Outcome => change(paymentId, voidPayment),
    refund: (paymentId: string): Outcome => change(paymentId, refundPayment),
    get: async (paymentId: string): Promise<Payment> => foundPayment(await deps.store.find(paymentId), paymentId),
    async list(query: PaymentQuery): Promise<PaymentPage> {
      // One more than asked for tells whether there is a next page.
      const found = await deps.store.list({ ...query, limit: query.limit + 1 })
      const payments = found.slice(0, query.limit)
      const last = payments.at(-1)
      const next = found.length > query.limit && last
      return { payments, next: next ? { timeMs: last.createdAtMs, id: last.paymentId } : undefined }
    },
    /** Asks the provider now, and answers when it has answered. */
    async reconcile(paymentId: string): Outcome {
      const payment = await change(paymentId, makeDue)
      return isRefusal(payment) ? payment : await deps.settle(payment)
    },
    receiveReport: createReceiveReport(deps),
    forgetOld: createForgetOld(deps),
  }
}

export type Payments = ReturnType<typeof createPayments>
