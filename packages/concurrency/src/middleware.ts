/**
 * One link of a chain: it receives what comes next and returns what stands in front of it. HTTP, RPC, bus and TCP
 * all use this shape, so a link written once (recover, time limit, metrics) serves at every edge.
 */
export type Middleware<Input, Output, Context> = (
  next: Handler<Input, Output, Context>,
) => Handler<Input, Output, Context>

/** What a chain ends in, and what each link looks like from outside. */
export type Handler<Input, Output, Context> = (input: Input, context: Context) => Output

/**
 * Builds the chain once: the first middleware is the outermost. Calling the result costs one function call a link.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { compose, type Middleware } from '@plinth/concurrency'
 *
 * const shout: Middleware<string, string, void> = (next) => (input, context) => next(input, context).toUpperCase()
 * const greet = compose([shout], (name: string) => `hello ${name}`)
 * assert.equal(greet('ada', undefined), 'HELLO ADA')
 * ```
 */
export function compose<Input, Output, Context>(
  chain: readonly Middleware<Input, Output, Context>[],
  end: Handler<Input, Output, Context>,
): Handler<Input, Output, Context> {
  return chain.reduceRight((next, link) => link(next), end)
}
