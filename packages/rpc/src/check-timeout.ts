/** @throws RangeError for a time limit that is no number >= 0: a mistake of the caller's code. */
export function checkTimeout(timeoutMs: number): void {
  if (!(timeoutMs >= 0)) throw new RangeError(`Cannot allow ${timeoutMs} ms: timeoutMs is a number >= 0`)
}
