import type { MessageInitShape } from '@bufbuild/protobuf'
import { isErrorKind, PlatformError } from '@plinth/base'
import type { Bus, Delivery as BusDelivery, Message, SubscribeOptions, Subscription } from '@plinth/messaging'
import { invalidRequest } from '@plinth/rpc'
import type { ConsumeResponseSchema } from '../../contract/index.ts'
import { type ConsumeRequest, type Nack, Start } from '../../contract/index.ts'
import { toEvent } from '../wire/event-message.ts'

type Response = MessageInitShape<typeof ConsumeResponseSchema>
type Deliveries = NonNullable<Response['deliveries']>

// A response ends at so many payload bytes, so that it stays far below what a transport takes.
const responseBytesMax = 1 << 20
/** Longest wait for answers after the caller said stop; it ends the stream when it wants to end sooner. */
const stopGraceMs = 600_000

interface Pending {
  resolve(): void
  reject(reason: unknown): void
}

/** Serves one consumer: its stream is one member of its group. */
export async function* consume(
  bus: Bus,
  requests: AsyncIterable<ConsumeRequest>,
  signal: AbortSignal,
): AsyncGenerator<Response, void, undefined> {
  const reader = requests[Symbol.asyncIterator]()
  const first = (await reader.next()).value as ConsumeRequest | undefined
  if (first?.action.case !== 'subscribe') {
    throw invalidRequest('Consume', [
      { field: 'action', rule: 'first', message: 'Expected subscribe as the first request' },
    ])
  }
  const consumer = new Consumer()
  const onAbort = () => consumer.end(signal.reason)
  signal.addEventListener('abort', onAbort)
  const { topics, group, concurrency, start, attemptsMax, backoffMinMs, backoffMaxMs } = first.action.value
  const options: SubscribeOptions = {
    topics,
    group,
    concurrency,
    from: start === Start.LATEST ? 'latest' : 'earliest',
    retry: { attemptsMax, backoffMinMs, backoffMaxMs: Math.max(backoffMinMs, backoffMaxMs) },
    handler: (message, delivery) => consumer.deliver(message, delivery),
  }
  const subscription = await bus.subscribe(options)
  try {
    yield { deliveries: [] }
    void consumer.listen(reader, subscription)
    for (let next = await consumer.next(); next !== undefined; next = await consumer.next()) yield { deliveries: next }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // What is unanswered was not handled; without grace it goes back to the group at once, and not as a failure.
    await subscription.close({ graceMs: 0 })
    consumer.abandon()
  }
}

class Consumer {
  readonly #pending = new Map<bigint, Pending>()
  #queue: { readonly id: bigint; readonly message: Message; readonly attempt: number }[] = []
  #lastId = 0n
  #wake: (() => void) | undefined
  #ended: { readonly reason: unknown } | undefined

  /** The bus's handler: settles when the caller has answered. */
  deliver(message: Message, delivery: BusDelivery): Promise<void> {
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#pending.set(id, { resolve, reject })
    this.#queue.push({ id, message, attempt: delivery.attempt })
    this.#wake?.()
    return promise
  }

  /** What is to be sent next, as much as fits into one response. Undefined when the caller is done. */
  async next(): Promise<Deliveries | undefined> {
    while (this.#queue.length === 0 && this.#ended === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    if (this.#ended !== undefined) {
      if (this.#ended.reason !== undefined) throw this.#ended.reason
      return undefined
    }
    let count = 0
    for (let bytes = 0; count < this.#queue.length && bytes < responseBytesMax; count++) {
      bytes += this.#queue[count]?.message.payload.length ?? 0
    }
    const sent = this.#queue.slice(0, count)
    this.#queue = this.#queue.slice(count)
    return sent.map(({ id, message, attempt }) => ({ id, event: toEvent(message), attempt }))
  }

  /** Ends the stream: well without a reason. */
  end(reason?: unknown): void {
    this.#ended ??= { reason }
    this.#wake?.()
  }

  /** Takes the caller's answers until its stream ends. */
  async listen(requests: AsyncIterator<ConsumeRequest>, subscription: Subscription): Promise<void> {
    try {
      for (let step = await requests.next(); !step.done; step = await requests.next()) {
        const { action } = step.value
        if (action.case === 'answers') this.#answer(action.value)
        else if (action.case === 'stop') void subscription.close({ graceMs: stopGraceMs }).then(() => this.end())
        else
          throw invalidRequest('Consume', [
            { field: 'action', rule: 'subscribed', message: 'Expected subscribe only once' },
          ])
      }
      this.end()
    } catch (error) {
      this.end(error)
    }
  }

  abandon(): void {
    for (const { reject } of this.#pending.values()) reject(abandoned())
    this.#pending.clear()
  }

  #answer(answers: {
    readonly acks: readonly bigint[]
    readonly nacks: readonly Pick<Nack, 'deliveryId' | 'code' | 'message' | 'kind'>[]
  }): void {
    for (const id of answers.acks) this.#take(id)?.resolve()
    for (const { deliveryId, code, message, kind } of answers.nacks) {
      const failure = { kind: isErrorKind(kind) ? kind : 'internal', code: code || 'base.internal' } as const
      this.#take(deliveryId)?.reject(new PlatformError(message, failure))
    }
  }

  /** An answer to what is not under way (any more) changes nothing. */
  #take(id: bigint): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }
}

function abandoned(): PlatformError {
  return new PlatformError('The consumer left before it answered', { kind: 'cancelled', code: 'events.consumer_left' })
}
