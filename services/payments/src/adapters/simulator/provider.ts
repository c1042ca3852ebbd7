import { type Clock, PlatformError, type Random, sleep } from '@plinth/base'
import { leaveScope } from '@plinth/concurrency'
import { type Migration, type SqlStore, sql } from '@plinth/data'

/** What the provider keeps of one operation. */
export interface ProviderOperation {
  /** `<payment id>:<operation>`: performed once, however often it is asked. */
  readonly key: string
  readonly paymentId: string
  readonly operation: string
  readonly orderId: string
  readonly amountMinor: number
  readonly currency: string
  /** `approved` or `declined`. */
  readonly outcome: string
  /** Why it was declined; empty otherwise. */
  readonly reason: string
  readonly reference: string
  readonly atMs: number
}

export interface ProviderRequest {
  readonly paymentId: string
  readonly operation: 'charge' | 'capture' | 'void' | 'refund'
  readonly orderId: string
  readonly amountMinor: number
  readonly currency: string
  readonly method: string
}

/** Thrown where a real provider's answer would not arrive: the caller cannot know whether it was performed. */
export const answerLost = 'payments.simulator_answer_lost'

/** A report the provider sends by itself after an operation. */
export interface ProviderWebhook {
  readonly report_id: string
  readonly payment_id: string
  readonly operation: string
  readonly outcome: string
}

export interface ProviderOptions {
  /** How long `card_slow` takes. @default 2000 */
  readonly slowMs?: number
  /** Share of webhooks that are sent twice. 0 to 1. @default 0.2 */
  readonly repeatShare?: number
  /** Longest delay of a webhook, a whole number; each draws its own, so that they overtake one another. @default 200 */
  readonly webhookDelayMaxMs?: number
}

export interface ProviderDeps {
  readonly store: SqlStore<unknown>
  readonly clock: Clock
  readonly random: Random
  readonly ids: { next(): string }
  /** Delivers a webhook; failing is the receiver's loss, as in real life. */
  readonly deliver: (webhook: ProviderWebhook) => Promise<void>
}

/** A payment provider that keeps its books on disk, as a real one would, and misbehaves on request. */
export interface Provider extends AsyncDisposable {
  /**
   * Performs an operation once per key and answers its outcome.
   * @throws PlatformError code `payments.simulator_answer_lost` when the answer is lost on the way.
   */
  perform(request: ProviderRequest, signal: AbortSignal): Promise<ProviderOperation>
  /** What became of an operation, if it ever arrived. */
  lookUp(paymentId: string, operation: string): Promise<ProviderOperation | undefined>
  /** The books: everything that was performed, oldest first, up to 10,000. For tests that count the money. */
  books(): Promise<readonly ProviderOperation[]>
}

export const providerMigrations: readonly Migration[] = [
  {
    id: '0001_books',
    up: `
      create table provider_operation (
        key text primary key,
        payment_id text not null,
        operation text not null,
        order_id text not null,
        amount_minor bigint not null,
        currency text not null,
        outcome text not null,
        reason text not null,
        reference text not null,
        at_ms bigint not null
      )`,
  },
]

const find = sql<{ key: string }, ProviderOperation>`
  select key, payment_id as "paymentId", operation, order_id as "orderId", amount_minor as "amountMinor", currency,
    outcome, reason, reference, at_ms as "atMs"
  from provider_operation where key = ${'key'}`

const all = sql<Record<never, never>, ProviderOperation>`
  select key, payment_id as "paymentId", operation, order_id as "orderId", amount_minor as "amountMinor", currency,
    outcome, reason, reference, at_ms as "atMs"
  from provider_operation order by at_ms, key limit 10000`

const insert = sql<ProviderOperation>`
  insert into provider_operation
    (key, payment_id, operation, order_id, amount_minor, currency, outcome, reason, reference, at_ms)
  values (${'key'}, ${'paymentId'}, ${'operation'}, ${'orderId'}, ${'amountMinor'}, ${'currency'}, ${'outcome'},
    ${'reason'}, ${'reference'}, ${'atMs'})`

/** Webhooks on their way at once; past it none are sent, and reconciliation has to find out. */
const webhooksMax = 1000

/**
 * Makes the simulator. How it behaves is chosen by the method of payment, as with real test cards: see
 * {@link testCards}.
 */
export function createProvider(deps: ProviderDeps, options: ProviderOptions = {}): Provider {
  const { slowMs = 2000, repeatShare = 0.2, webhookDelayMaxMs = 200 } = options
  const closing = new AbortController()
  const onTheirWay = new Set<Promise<void>>()

  async function record(request: ProviderRequest): Promise<ProviderOperation> {
    const key = `${request.paymentId}:${request.operation}`
    return await deps.store.write(async (tx) => {
      const known = await tx.get(find, { key })
      if (known) return known
      const charge = await tx.get(find, { key: `${request.paymentId}:charge` })
      const reason = declineReason(request, charge)
      const { method: _, ...facts } = request
      const operation: ProviderOperation = {
        ...facts,
        key,
        outcome: reason === '' ? 'approved' : 'declined',
        reason,
        reference: `sim_${deps.ids.next()}`,
        atMs: deps.clock.nowMs(),
      }
      await tx.run(insert, operation)
      return operation
    })
  }

  function report(operation: ProviderOperation): void {
    const times = deps.random.next() < repeatShare ? 2 : 1
    const webhook = {
      report_id: deps.ids.next(),
      payment_id: operation.paymentId,
      operation: operation.operation,
      outcome: operation.outcome,
    }
    for (let time = 0; time < times && onTheirWay.size < webhooksMax; time++) {
      // Reports come from outside: no deadline of ours reaches there.
      const delivery = leaveScope(() => send(webhook)).finally(() => onTheirWay.delete(delivery))
      onTheirWay.add(delivery)
    }
  }

  async function send(webhook: ProviderWebhook): Promise<void> {
    try {
      await sleep(deps.clock, deps.random.int(webhookDelayMaxMs + 1), closing.signal)
      await deps.deliver(webhook)
    } catch {
      // A lost webhook is part of the game: the receiver asks when it hears nothing.
    }
  }

  return {
    async perform(request, signal) {
      const fate = fateOf(request, deps.random)
      if (fate === 'request lost') throw lost()
      const operation = await record(request)
      report(operation)
      if (fate === 'answer lost') throw lost()
      // Whoever does not wait so long has lost the answer, not the operation.
      if (fate === 'slow') await sleep(deps.clock, slowMs, signal)
      return operation
    },
    lookUp: (paymentId, operation) => deps.store.read((tx) => tx.get(find, { key: `${paymentId}:${operation}` })),
    books: () => deps.store.read((tx) => tx.all(all, {})),
    async [Symbol.asyncDispose]() {
      closing.abort()
      await Promise.all(onTheirWay)
    },
  }
}

/** The methods of payment the simulator knows, and what each does. Any other is declined as `unknown_card`. */
export const testCards = {
  card_ok: 'is approved',
  card_declined: 'is declined: card_declined',
  card_insufficient_funds: 'is declined: insufficient_funds',
  card_slow: 'is approved after two seconds',
  card_answer_lost: 'is approved, but the answer to the charge never arrives',
  card_request_lost: 'loses half of the requests on the way; is approved when one arrives',
  card_flaky: 'is approved, but every fifth request and every fifth answer is lost',
} as const

type Fate = 'arrives' | 'slow' | 'request lost' | 'answer lost'

function fateOf(request: ProviderRequest, random: Random): Fate {
  switch (request.method) {
    case 'card_slow':
      return request.operation === 'charge' ? 'slow' : 'arrives'
    case 'card_answer_lost':
      return request.operation === 'charge' ? 'answer lost' : 'arrives'
    case 'card_request_lost':
      return random.next() < 0.5 ? 'request lost' : 'arrives'
    case 'card_flaky': {
      const draw = random.next()
      return draw < 0.2 ? 'request lost' : draw < 0.4 ? 'answer lost' : 'arrives'
    }
    default:
      return 'arrives'
  }
}

function declineReason(request: ProviderRequest, charge: ProviderOperation | undefined): string {
  if (request.operation !== 'charge') return charge?.outcome === 'approved' ? '' : 'no_such_charge'
  if (!Object.hasOwn(testCards, request.method)) return 'unknown_card'
  if (request.method === 'card_declined') return 'card_declined'
  return request.method === 'card_insufficient_funds' ? 'insufficient_funds' : ''
}

function lost(): PlatformError {
  return new PlatformError('The provider did not answer', { kind: 'timeout', code: answerLost })
}
