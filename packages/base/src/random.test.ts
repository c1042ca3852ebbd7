import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createSeededRandom, createSystemRandom, type Random } from './random.ts'

/** Pearson's chi-squared of `draws` over equally likely cells. */
function chiSquared(cells: number, draws: number, draw: () => number): number {
  const counts = new Array<number>(cells).fill(0)
  for (let at = 0; at < draws; at++) counts[draw()]!++
  const expected = draws / cells
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

// For 9 and 255 degrees of freedom, exceeded once in 10^9 runs of a fair source.
const limits = { 10: 62, 256: 412 } as const

function describeRandom(name: string, open: () => Random): void {
  describe(name, () => {
    it('int(10) is uniform', () => {
      const random = open()
      assert.ok(chiSquared(10, 100_000, () => random.int(10)) < limits[10])
    })

    it('next() is uniform and within [0, 1)', () => {
      const random = open()
      const draw = () => {
        const value = random.next()
        assert.ok(value >= 0 && value < 1)
        return Math.floor(value * 10)
      }
      assert.ok(chiSquared(10, 100_000, draw) < limits[10])
    })

    for (const size of [8, 64, 65, 4096]) {
      it(`fill() makes every byte of ${size} uniform`, () => {
        const random = open()
        const target = new Uint8Array(size)
        let at = size
        const draw = () => {
          if (at === size) {
            assert.equal(random.fill(target), target)
            at = 0
          }
          return target[at++] as number
        }
        assert.ok(chiSquared(256, 131_072, draw) < limits[256])
      })
    }

    it('fill() takes an empty target and one that is not a multiple of four', () => {
      const random = open()
      random.fill(new Uint8Array(0))
      const views = Array.from({ length: 50 }, () => random.fill(new Uint8Array(7)))
      assert.ok(views.some((view) => view[6] !== 0))
    })

    it('int() stays below its bound, from 1 to 2^32', () => {
      const random = open()
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 2 ** 32 }), (bound) => {
          const value = random.int(bound)
          assert.ok(Number.isInteger(value) && value >= 0 && value < bound)
        }),
      )
      assert.equal(random.int(1), 0)
    })

    for (const bound of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN, Infinity]) {
      it(`int(${bound}) is refused`, () => assert.throws(() => open().int(bound), RangeError))
    }
  })
}

describeRandom('createSystemRandom()', createSystemRandom)
describeRandom('createSeededRandom()', () => createSeededRandom(20_260_101))

describe('createSeededRandom()', () => {
  it('repeats its draws from the same seed, and not from another', () => {
    const draws = (seed: number) => {
      const random = createSeededRandom(seed)
      return [random.next(), random.int(1000), ...random.fill(new Uint8Array(9))]
    }
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        assert.deepEqual(draws(seed), draws(seed))
        assert.notDeepEqual(draws(seed), draws(seed + 1))
      }),
    )
  })

  it('tells seeds apart that differ above 32 bits only', () => {
    assert.notEqual(createSeededRandom(1).next(), createSeededRandom(1 + 2 ** 32).next())
  })

  for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) {
    it(`refuses the seed ${seed}`, () => assert.throws(() => createSeededRandom(seed), RangeError))
  }
})
