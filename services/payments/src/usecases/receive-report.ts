import type { Clock } from '@plinth/base'
import { makeDue, type Payment } from '../domain/payment.ts'
import type { PaymentStore, ProviderReport } from './ports.ts'

export interface ReceiveReportDeps {
  readonly store: PaymentStore
  readonly clock: Pick<Clock, 'nowMs'>
  readonly onPending: (payment: Payment) => void
}

/**
 * Takes a report of the provider as a hint to look at once. What it says is not believed: reports come twice, late and
 * in the wrong order, while a look tells what is true now. Reports about payments we do not know, that are settled, or
 * that are being asked about for the first time at this moment are ignored.
 */
export function createReceiveReport(deps: ReceiveReportDeps) {
  return async function receiveReport(provider: string, report: ProviderReport): Promise<void> {
    // Most reports tell what is known already, or about to be: those cost a look and no commit.
    const before = await deps.store.find(report.paymentId)
    if (!before?.pending || before.tries === 0) return
    const payment = await deps.store.unit(async (unit) => {
      const known = await unit.find(report.paymentId)
      if (!known || !(await unit.firstReport(provider, report.reportId))) return undefined
      const change = makeDue(known, deps.clock.nowMs())
      if (change.payment !== known) await unit.update(change)
      return change.payment
    })
    if (payment?.pending) deps.onPending(payment)
  }
}
