import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tierOf } from './discover.ts'

describe('tierOf()', () => {
  it('tells the tiers apart by suffix and folder', () => {
    const names = [
      'packages/a/src/x.test.ts',
      'packages/a/src/x.int.test.ts',
      'packages/a/src/x.sim.test.ts',
      'tests/crash/kill.test.ts',
      'tests/engines/pg.int.test.ts',
      'packages/a/src/x.ts',
    ].map((path) => tierOf(path)?.name)
    assert.deepEqual(names, ['hermetic', 'integration', 'simulation', 'tests/crash', 'tests/engines', undefined])
  })

  it('gives the machine to one file of tests/ at a time', () => {
    assert.equal(tierOf('tests/topology/shop.test.ts')?.concurrency, 1)
  })
})
