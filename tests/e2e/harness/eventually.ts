/** How long to wait, and for what. */
export interface EventuallyOptions<T> {
  readonly what: string
  readonly timeoutMs: number
  /** @default anything that is no text, which says why it is too early */
  readonly until?: (value: T) => boolean
}

/** Looks again and again until what another process works on is there. */
export async function eventually<T>(
  look: () => Promise<T>,
  options: EventuallyOptions<T>,
): Promise<Exclude<T, string>> {
  const { what, timeoutMs, until = (value: T) => typeof value !== 'string' } = options
  const endMs = performance.now() + timeoutMs
  for (;;) {
    const value = await look()
    if (until(value)) return value as Exclude<T, string>
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms for ${what}: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
