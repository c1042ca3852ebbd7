import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Outcomes } from './describe-shop.ts'

/** Fails where a layout differs from the first one: whatever it is, a caller could tell them apart. */
export function compareOutcomes(
  name: string,
  runs: readonly { readonly name: string; readonly outcomes: Outcomes }[],
): void {
  const [reference, ...others] = runs
  assert.ok(reference && others.length > 0, 'nothing to compare')
  describe(`${name}, compared`, () => {
    for (const { name: other, outcomes } of others) {
      it(`${other} has the outcomes of ${reference.name}`, () => {
        assert.ok(reference.outcomes.size > 30, `only ${reference.outcomes.size} outcomes`)
        assert.deepEqual(Object.fromEntries(outcomes), Object.fromEntries(reference.outcomes))
      })
    }
  })
}
