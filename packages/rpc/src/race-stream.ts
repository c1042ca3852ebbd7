import type { OpenCall } from './call-scope.ts'

/**
 * The same messages, but the reader learns at once when the call is ended, even while the source is still busy with
 * the next one. The source is then closed; its own clean-up runs on behind. `onEnd` is called once, when reading is
 * over for whatever reason.
 */
export function raceStream<T>(source: AsyncIterable<T>, call: OpenCall, onEnd: () => void): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => new RacedIterator(source[Symbol.asyncIterator](), call, onEnd) }
}

class RacedIterator<T> implements AsyncIterator<T> {
  readonly #source: AsyncIterator<T>
  readonly #call: OpenCall
  readonly #onEnd: () => void
  readonly #forget: () => void
  #reject: ((reason: unknown) => void) | undefined
  #ended = false

  constructor(source: AsyncIterator<T>, call: OpenCall, onEnd: () => void) {
    this.#source = source
    this.#call = call
    this.#onEnd = onEnd
    this.#forget = call.onCancel((reason) => {
      this.#reject?.(reason)
      this.#close()
    })
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#call.cancelReason !== undefined) {
      this.#end()
      return Promise.reject(this.#call.cancelReason)
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      this.#reject = reject
      this.#source.next().then(
        (result) => {
          if (result.done) this.#end()
          resolve(result)
        },
        (error: unknown) => {
          this.#end()
          reject(error)
        },
      )
    })
  }

  async return(): Promise<IteratorResult<T>> {
    if (!this.#ended) {
      this.#end()
      await this.#source.return?.()
    }
    return { done: true, value: undefined }
  }

  #close(): void {
    if (this.#ended) return
    this.#end()
    // Nobody waits for this clean-up any more, so its failure has nowhere to go but the reason already given.
    this.#source.return?.().then(undefined, () => {})
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#forget?.()
    this.#onEnd()
  }
}
