/** A number that only grows. */
export interface Counter {
  /** Adds `by`. What is not a number >= 0 is not added but counted as rejected. @default 1 */
  inc(by?: number): void
}

/** The cell behind a {@link Counter}: one per set of label values. */
export class CounterCell implements Counter {
  readonly #reject: () => void
  value = 0

  constructor(reject: () => void) {
    this.#reject = reject
  }

  inc(by = 1): void {
    if (by >= 0 && by !== Infinity) this.value += by
    else this.#reject()
  }
}
