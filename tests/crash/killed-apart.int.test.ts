import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pause } from './shop-client.ts'
import { ShopUnderTest } from './shop-under-test.ts'

const rounds = Number(process.env['PLINTH_CRASH_SPREAD_ROUNDS'] ?? 20)
const seed = Number(process.env['PLINTH_CRASH_SEED'] ?? Date.now() % 1_000_000_000)

/** One process for each service that keeps orders, money or stock; customers talk to the first. */
const processes = [['events', 'identity'], ['catalog'], ['orders'], ['payments']]

describe('a shop of four processes under load, one of which is killed at a time', () => {
  it(`loses no acknowledged order, charges nobody twice and leaves nothing stuck in ${rounds} rounds`, async (t) => {
    t.diagnostic(`seed ${seed} (PLINTH_CRASH_SEED)`)
    await using shop = await ShopUnderTest.create({ processes, seed })
    await shop.openAll()
    await shop.furnish()
    const crew = shop.busy()
    for (let round = 0; round < rounds; round++) {
      await pause(200 + shop.random.int(800))
      const victim = shop.random.int(processes.length)
      await shop.kill(victim)
      // The others go on without it for a moment.
      await pause(shop.random.int(300))
      await shop.open(victim)
    }
    await pause(300)
    await crew.stop()
    const faults = await shop.findFaults(crew)
    const { commands, repeated, refused } = crew.figures
    t.diagnostic(`${crew.orders.size} orders, ${commands} commands, ${repeated} of them repeated, ${refused} refused`)
    assert.equal(faults, '')
  })
})
