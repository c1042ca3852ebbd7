/** How values are spread, by buckets fixed in advance. */
export interface Histogram {
  /** Counts one value; `NaN` is not counted but counted as rejected. */
  observe(value: number): void
}

/** Upper bounds in seconds that suit answers of services: from half a millisecond to ten seconds. */
export const secondsBuckets: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** Upper bounds in bytes: from 256 B to 16 MiB by factors of four. */
export const bytesBuckets: readonly number[] = Array.from({ length: 9 }, (_, at) => 256 * 4 ** at)

/** The cell behind a {@link Histogram}: one per set of label values. */
export class HistogramCell implements Histogram {
  readonly #bounds: Float64Array
  readonly #reject: () => void
  /** Values per bucket, not yet summed up; the last is for what exceeds every bound. */
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: Float64Array, reject: () => void) {
    this.#bounds = bounds
    this.#reject = reject
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    if (Number.isNaN(value)) {
      this.#reject()
      return
    }
    const bounds = this.#bounds
    let low = 0
    let high = bounds.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (value <= (bounds[middle] as number)) high = middle
      else low = middle + 1
    }
    this.counts[low] = (this.counts[low] as number) + 1
    this.sum += value
  }
}
