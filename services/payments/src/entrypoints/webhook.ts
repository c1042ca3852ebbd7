import { PlatformError } from '@plinth/base'
import type { WebhookSigner } from '@plinth/security'
import type { Payments } from '../usecases/payments.ts'

/** The header that carries a report's signature. */
export const signatureHeader = 'plinth-signature'

const idPattern = /^[0-9A-Za-z_-]{1,100}$/

/** Takes in what a provider posts: checks the signature over the raw bytes first, then the few fields we use. */
export function createWebhookReceiver(deps: { readonly payments: Payments; readonly signer: WebhookSigner }) {
  return async function receiveWebhook(
    provider: string,
    delivery: { readonly body: Uint8Array; readonly signature: string | undefined },
  ): Promise<void> {
    deps.signer.verify(delivery.body, delivery.signature)
    const { reportId, paymentId } = parseReport(delivery.body)
    await deps.payments.receiveReport(provider, { reportId, paymentId })
  }
}

function parseReport(body: Uint8Array): { readonly reportId: string; readonly paymentId: string } {
  let report: unknown
  try {
    report = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw invalidReport('it is not JSON', error)
  }
  const fields = Object(report) as Record<string, unknown>
  return { reportId: readId(fields, 'report_id'), paymentId: readId(fields, 'payment_id') }
}

function readId(fields: Record<string, unknown>, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (typeof value === 'string' && idPattern.test(value)) return value
  throw invalidReport(`${name} is not an id of 1 to 100 plain characters`)
}

function invalidReport(why: string, cause?: unknown): PlatformError {
  return new PlatformError(`Cannot read the report: ${why}`, {
    kind: 'invalid',
    code: 'payments.report_invalid',
    cause,
  })
}
