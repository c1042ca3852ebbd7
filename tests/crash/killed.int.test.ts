import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Crew } from './crew.ts'
import { pause } from './shop-client.ts'
import { ShopUnderTest } from './shop-under-test.ts'

const rounds = Number(process.env['PLINTH_CRASH_ROUNDS'] ?? 50)
const seed = Number(process.env['PLINTH_CRASH_SEED'] ?? Date.now() % 1_000_000_000)

/** Every so many rounds the kill comes during the start. */
const startKillEvery = 7

describe('a shop under load that is killed again and again', () => {
  it(`loses no acknowledged order, charges nobody twice and leaves nothing stuck in ${rounds} rounds`, async (t) => {
    t.diagnostic(`seed ${seed} (PLINTH_CRASH_SEED)`)
    await using shop = await ShopUnderTest.create({ processes: [[]], seed })
    // The very first start, on an empty folder, may be cut off as well.
    for (let start = 0; start < 3; start++) await killDuringStart(shop)
    await shop.openAll()
    await shop.furnish()
    const crew = shop.busy()
    for (let round = 0; round < rounds; round++) {
      await pause(100 + shop.random.int(900))
      await shop.kill()
      if (round % startKillEvery === 3) await killDuringStart(shop)
      await shop.open()
    }
    await pause(300)
    await crew.stop()
    const faults = await shop.findFaults(crew)
    report(t, shop, crew)
    assert.equal(faults, '')
  })
})

async function killDuringStart(shop: ShopUnderTest): Promise<void> {
  const usualMs = shop.startsMs.at(-1) ?? 1000
  shop.start()
  await pause(shop.random.int(Math.ceil(usualMs * 1.2)))
  await shop.kill()
}

function report(t: TestContext, shop: ShopUnderTest, crew: Crew): void {
  const starts = shop.startsMs.toSorted((a, b) => a - b)
  const median = Math.round(starts[Math.floor(starts.length / 2)] ?? 0)
  const { commands, repeated, refused } = crew.figures
  t.diagnostic(`${crew.orders.size} orders, ${commands} commands, ${repeated} of them repeated, ${refused} refused`)
  t.diagnostic(`open again after ${median} ms (median), ${Math.round(starts.at(-1) ?? 0)} ms (longest)`)
}
