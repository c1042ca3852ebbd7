/** The middle of the values (of two, the upper). At least one is needed. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}
