import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Fifo } from './fifo.ts'

describe('Fifo', () => {
  it('behaves as an array that is pushed and shifted', () => {
    const steps = fc.array(fc.oneof(fc.record({ push: fc.nat(3000) }), fc.record({ shift: fc.nat(3000) })), {
      maxLength: 12,
    })
    fc.assert(
      fc.property(steps, fc.boolean(), (plan, drains) => {
        const fifo = new Fifo<number>()
        const model: number[] = []
        let next = 0
        for (const step of plan) {
          if ('push' in step) for (let n = 0; n < step.push; n++) model.push(next) && fifo.push(next++)
          else for (let n = 0; n < step.shift; n++) assert.equal(fifo.shift(), model.shift())
          assert.equal(fifo.size, model.length)
        }
        if (drains) assert.deepEqual([fifo.drain(), fifo.size], [model, 0])
      }),
      { numRuns: 30 },
    )
  })
})
