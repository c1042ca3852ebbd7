import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sweepInBatches } from './sweep.ts'

/** A table of so many old rows, and the sizes of the batches that were taken from it. */
function createTable(rows: number) {
  const batches: number[] = []
  const sweep = async (rowsMax: number) => {
    const count = Math.min(rowsMax, rows)
    rows -= count
    batches.push(count)
    return count
  }
  return { sweep, batches }
}

describe('sweepInBatches()', () => {
  it('goes on until a batch is not full', async () => {
    const { sweep, batches } = createTable(2500)
    assert.equal(await sweepInBatches(sweep), 2500)
    assert.deepEqual(batches, [1000, 1000, 500])
  })

  it('takes one more look when the last batch was full, and none when nothing is there', async () => {
    const { sweep, batches } = createTable(20)
    assert.equal(await sweepInBatches(sweep, { rowsMax: 20 }), 20)
    assert.equal(await sweepInBatches(sweep, { rowsMax: 20 }), 0)
    assert.deepEqual(batches, [20, 0, 0])
  })

  it('leaves what is beyond its batches for the next go', async () => {
    const { sweep, batches } = createTable(100)
    assert.equal(await sweepInBatches(sweep, { rowsMax: 10, batchesMax: 3 }), 30)
    assert.equal(batches.length, 3)
  })

  it('refuses bounds that are none', async () => {
    const { sweep } = createTable(1)
    for (const options of [{ rowsMax: 0 }, { rowsMax: 10_001 }, { rowsMax: 1.5 }, { batchesMax: 0 }]) {
      await assert.rejects(sweepInBatches(sweep, options), RangeError)
    }
  })
})
