/** What an option must be: `[value, smallest, largest]`, whole numbers all. */
export type Bounds = Readonly<Record<string, readonly [value: number, min: number, max: number]>>

/**
 * Checks whole-number options and reports all that are wrong at once.
 *
 * @throws RangeError
 */
export function checkBounds(thing: string, bounds: Bounds): void {
  const problems = Object.entries(bounds)
    .filter(([, [value, min, max]]) => !(Number.isInteger(value) && value >= min && value <= max))
    .map(([name, [value, min, max]]) => `${name} is an integer from ${min} to ${max}, received ${value}`)
  if (problems.length > 0) throw new RangeError(`Cannot open the ${thing}: ${problems.join('; ')}`)
}
