/** Bounds of one go of {@link sweepInBatches}. */
export interface SweepOptions {
  /** Rows of one batch, which is one unit of work. 1 to 10,000. @default 1000 */
  readonly rowsMax?: number
  /** Batches of one go; what is left waits for the next. At least 1. @default 50 */
  readonly batchesMax?: number
}

/**
 * Calls `sweep` until it finds fewer rows than it may take. Each call is a short unit of work of its own, so that
 * others get their turn in between however much there is to forget.
 *
 * @returns how many rows were swept.
 * @throws RangeError when a bound is out of its range.
 */
export async function sweepInBatches(
  sweep: (rowsMax: number) => Promise<number>,
  options: SweepOptions = {},
): Promise<number> {
  const { rowsMax = 1000, batchesMax = 50 } = options
  if (!(Number.isInteger(rowsMax) && rowsMax >= 1 && rowsMax <= 10_000)) {
    throw new RangeError(`Cannot sweep ${rowsMax} rows at once: rowsMax is an integer from 1 to 10000`)
  }
  if (!(batchesMax >= 1)) throw new RangeError(`Cannot sweep ${batchesMax} batches: batchesMax is at least 1`)
  let swept = 0
  for (let batch = 0; batch < batchesMax; batch++) {
    const count = await sweep(rowsMax)
    swept += count
    if (count < rowsMax) break
  }
  return swept
}
