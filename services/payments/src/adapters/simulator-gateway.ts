import { PlatformError } from '@plinth/base'
import type { Verdict } from '../domain/payment.ts'
import type { Gateway } from '../usecases/ports.ts'
import { answerLost, type Provider, type ProviderOperation } from './simulator/index.ts'

/** The simulator as a gateway. What does not answer in time, or answers nothing, is a verdict `lost`. */
export function createSimulatorGateway(provider: Provider): Gateway {
  return {
    provider: 'simulator',
    async perform({ operation, payment }, signal) {
      try {
        const { paymentId, orderId, amountMinor, currency, method } = payment
        return verdictOf(
          await provider.perform({ paymentId, operation, orderId, amountMinor, currency, method }, signal),
        )
      } catch (error) {
        if (signal.aborted || (PlatformError.is(error) && error.code === answerLost)) return { outcome: 'lost' }
        throw error
      }
    },
    async lookUp({ operation, payment }) {
      const known = await provider.lookUp(payment.paymentId, operation)
      return known ? verdictOf(known) : { outcome: 'unheard' }
    },
  } satisfies Gateway
}

function verdictOf(operation: ProviderOperation): Verdict {
  return operation.outcome === 'approved'
    ? { outcome: 'approved', reference: operation.reference }
    : { outcome: 'declined', reason: operation.reason }
}
