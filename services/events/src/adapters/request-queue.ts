import type { MessageInitShape } from '@bufbuild/protobuf'
import { fromUnknown } from '@plinth/base'
import type { ConsumeRequestSchema } from '../../contract/index.ts'

type Request = MessageInitShape<typeof ConsumeRequestSchema>

const answersMax = 1000

/**
 * The requests of one stream. Answers given while the transport is busy travel together. What it holds is bounded by
 * the deliveries that are unanswered.
 */
export class RequestQueue implements AsyncIterable<Request> {
  readonly #requests: Request[] = []
  #acks: bigint[] = []
  #nacks: { deliveryId: bigint; code: string; message: string; kind: string }[] = []
  #wake: (() => void) | undefined
  #ended = false

  push(request: Request): void {
    this.#requests.push(request)
    this.#wake?.()
  }

  ack(id: bigint): void {
    this.#acks.push(id)
    this.#wake?.()
  }

  nack(deliveryId: bigint, error: unknown): void {
    const fault = fromUnknown(error)
    // What nobody foresaw is told with its own words: operators read this, strangers do not.
    const message = fault.code === 'base.internal' && Error.isError(error) ? error.message : fault.message
    this.#nacks.push({
      deliveryId,
      code: fault.code.slice(0, 200),
      message: message.slice(0, 1000).toWellFormed(),
      kind: fault.kind,
    })
    this.#wake?.()
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Request, void, undefined> {
    for (;;) {
      const next = this.#next()
      if (next !== undefined) yield next
      else if (this.#ended) return
      else {
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#wake = resolve
        await promise
      }
    }
  }

  /** Answers go before a stop: the stream may end right after it. */
  #next(): Request | undefined {
    if (this.#acks.length + this.#nacks.length === 0) return this.#requests.shift()
    const acks = this.#acks.slice(0, answersMax)
    const nacks = this.#nacks.slice(0, answersMax)
    this.#acks = this.#acks.slice(answersMax)
    this.#nacks = this.#nacks.slice(answersMax)
    return { action: { case: 'answers', value: { acks, nacks } } }
  }
}
