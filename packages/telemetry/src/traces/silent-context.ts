import type { Random } from '@plinth/base'
import type { TraceContext } from './context.ts'
import { randomHex } from './trace-ids.ts'

/** The context of a trace of which nothing is recorded here. */
export class SilentContext implements TraceContext {
  readonly #id: { readonly text: string }
  readonly #random: Random
  readonly #parent: TraceContext | undefined
  readonly requestId: string | undefined
  readonly flags = 0
  #spanId = ''

  constructor(
    id: { readonly text: string },
    random: Random,
    parent: TraceContext | undefined,
    requestId: string | undefined,
  ) {
    this.#id = id
    this.#random = random
    this.#parent = parent
    this.requestId = requestId
  }

  get traceId(): string {
    return this.#id.text
  }

  get spanId(): string {
    if (this.#spanId === '') this.#spanId = this.#parent?.spanId ?? randomHex(this.#random, 2)
    return this.#spanId
  }

  get traceState(): string | undefined {
    return this.#parent?.traceState
  }
}
