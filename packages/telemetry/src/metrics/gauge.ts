/** A number that goes up and down. */
export interface Gauge {
  set(value: number): void
  /** @default 1 */
  inc(by?: number): void
  /** @default 1 */
  dec(by?: number): void
}

/** The cell behind a {@link Gauge}: one per set of label values. */
export class GaugeCell implements Gauge {
  value = 0

  set(value: number): void {
    this.value = value
  }

  inc(by = 1): void {
    this.value += by
  }

  dec(by = 1): void {
    this.value -= by
  }
}
