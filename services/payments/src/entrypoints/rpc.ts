import { invariant } from '@plinth/base'
import { decodePageToken, encodePageToken, type ServiceImplementation } from '@plinth/rpc'
import type { CreatePaymentRequest, PaymentsService } from '../../contract/index.ts'
import type { NewPayment } from '../domain/payment.ts'
import type { Payments } from '../usecases/payments.ts'
import { statusFromNumber, toPaymentMessage } from '../wire/payment-message.ts'
import { orThrow } from './refusal-error.ts'
import { type createWebhookReceiver, signatureHeader } from './webhook.ts'

const pageSizeDefault = 20

export interface PaymentsRpcDeps {
  readonly payments: Payments
  readonly receiveWebhook: ReturnType<typeof createWebhookReceiver>
}

/** Payments over every transport. What the contract checks is not checked again. */
export function createPaymentsRpc(deps: PaymentsRpcDeps): ServiceImplementation<typeof PaymentsService> {
  const { payments } = deps
  return {
    createPayment: async (request) => toPaymentMessage(orThrow(await payments.create(newPayment(request)))),
    confirmPayment: async (request) => toPaymentMessage(orThrow(await payments.confirm(request.paymentId))),
    capturePayment: async (request) => toPaymentMessage(orThrow(await payments.capture(request.paymentId))),
    voidPayment: async (request) => toPaymentMessage(orThrow(await payments.void(request.paymentId))),
    refundPayment: async (request) => toPaymentMessage(orThrow(await payments.refund(request.paymentId))),
    getPayment: async (request) => toPaymentMessage(await payments.get(request.paymentId)),
    async listPayments(request) {
      const page = await payments.list({
        status: statusFromNumber(request.status),
        orderId: request.orderId === '' ? undefined : request.orderId,
        limit: request.pageSize === 0 ? pageSizeDefault : request.pageSize,
        after: decodePageToken(request.pageToken),
      })
      return {
        payments: page.payments.map(toPaymentMessage),
        nextPageToken: page.next ? encodePageToken(page.next) : '',
      }
    },
    reconcilePayment: async (request) => toPaymentMessage(orThrow(await payments.reconcile(request.paymentId))),
    async receiveWebhook(request, context) {
      invariant(request.body, 'the contract requires a body')
      const signature = context.requestHeaders.get(signatureHeader)
      await deps.receiveWebhook(request.provider, { body: request.body.data, signature })
      return {}
    },
  }
}

function newPayment(request: CreatePaymentRequest): NewPayment {
  return {
    paymentId: request.paymentId,
    orderId: request.orderId,
    amountMinor: Number(request.amount?.amountMinor ?? 0n),
    currency: request.amount?.currency ?? '',
    method: request.paymentMethod,
    manualCapture: request.manualCapture,
    manualConfirm: request.manualConfirm,
  }
}
