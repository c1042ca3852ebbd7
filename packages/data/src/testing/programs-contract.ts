import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { MigratableStore } from '../schema-access.ts'
import {
  type ContractSchema,
  find,
  list,
  openContractStore,
  put,
  remove,
  type SqlStoreCapabilities,
  type TestDatabase,
  total,
  unless,
} from './harness.ts'

type Step =
  | { readonly do: 'read' | 'remove' | 'put total'; readonly id: string }
  | { readonly do: 'put' | 'add'; readonly id: string; readonly n: number }

interface Unit {
  readonly steps: readonly Step[]
  /** Gives up after its last step. */
  readonly fails: boolean
}

const id = fc.constantFrom('a', 'b', 'c')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('read', 'remove', 'put total'), id }),
  fc.record({ do: fc.constantFrom('put', 'add'), id, n: fc.integer({ min: 1, max: 9 }) }),
)
const unit: fc.Arbitrary<Unit> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
  fails: fc.boolean(),
})
const programs = fc.array(unit, { minLength: 2, maxLength: 5 })

/**
 * Random units at once against a model that knows only one after another: some order of those that committed must
 * explain everything each of them saw, and the end.
 */
export function programsContract(openDatabase: () => Promise<TestDatabase>, can: SqlStoreCapabilities): void {
  it('write() runs random units at once as if one after another', { skip: unless(can.serialisable) }, async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    await fc.assert(
      fc.asyncProperty(programs, async (units) => {
        await store.write(async (tx) => {
          for (const row of await tx.all(list, {})) await tx.run(remove, { id: row.id })
        })
        const outcomes = await Promise.allSettled(units.map((one) => runOnStore(store, one)))
        assert.deepEqual(
          outcomes.map((outcome) => outcome.status === 'rejected'),
          units.map((one) => one.fails),
        )
        const rows = await store.read((tx) => tx.all(list, {}))
        const end = rows.map((row) => `${row.id}=${row.n}`).join()
        const committed = units
          .map((one, at) => ({ one, seen: outcomes[at]?.status === 'fulfilled' ? outcomes[at].value : undefined }))
          .filter((done) => done.seen !== undefined)
        assert.ok(
          permutations(committed).some((order) => explains(order, end)),
          'no order of the committed units explains what they saw',
        )
      }),
      { numRuns: 40 },
    )
  })
}

class GivesUp extends Error {}

async function runOnStore(store: MigratableStore<ContractSchema>, { steps, fails }: Unit): Promise<string> {
  return await store.write(async (tx) => {
    const seen: number[] = []
    for (const one of steps) {
      const before = one.do === 'put total' ? (await tx.get(total, {}))?.total : (await tx.get(find, { id: one.id }))?.n
      seen.push(before ?? 0)
      if (one.do === 'remove') await tx.run(remove, { id: one.id })
      else if (one.do !== 'read') await tx.run(put, { id: one.id, n: after(one, before ?? 0) })
    }
    if (fails) throw new GivesUp()
    return seen.join()
  })
}

function runOnModel(state: Map<string, number>, { steps }: Unit): string {
  const seen: number[] = []
  for (const one of steps) {
    const before = one.do === 'put total' ? state.values().reduce((sum, n) => sum + n, 0) : (state.get(one.id) ?? 0)
    seen.push(before)
    if (one.do === 'remove') state.delete(one.id)
    else if (one.do !== 'read') state.set(one.id, after(one, before))
  }
  return seen.join()
}

function after(step: Step, before: number): number {
  switch (step.do) {
    case 'put':
      return step.n
    case 'add':
      return before + step.n
    default:
      return before
  }
}

interface Done {
  readonly one: Unit
  readonly seen: string | undefined
}

function explains(order: readonly Done[], end: string): boolean {
  const state = new Map<string, number>()
  for (const { one, seen } of order) if (runOnModel(state, one) !== seen) return false
  const rows = [...state].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return rows.map(([key, n]) => `${key}=${n}`).join() === end
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))
}
