import assert from 'node:assert/strict'
import { appendFile, open, readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createSeededRandom, errorKinds } from '@plinth/base'
import { pause } from './shop-client.ts'
import { ShopUnderTest } from './shop-under-test.ts'

const seed = Number(process.env['PLINTH_CRASH_SEED'] ?? Date.now() % 1_000_000_000)
const rubbish = createSeededRandom(seed).fill(new Uint8Array(777))

/** A shop that was busy and was killed with nothing left to do. */
async function killedShop() {
  const shop = await ShopUnderTest.create({ processes: [[]], seed })
  await shop.openAll()
  await shop.furnish()
  const crew = shop.busy()
  await pause(1500)
  await crew.stop()
  assert.equal(await shop.findFaults(crew), '')
  await shop.kill()
  return { shop, crew }
}

/** The newest segment of a log of the bus. */
async function newestSegment(shop: ShopUnderTest, log: 'messages' | 'state'): Promise<string> {
  const folder = join(shop.dir, 'bus', log)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log')).sort()
  return join(folder, names.at(-1)!)
}

/** What an append leaves that power or a full disk cut in the middle: the beginning of a record like the last one. */
async function appendHalfOfTheEnd(path: string): Promise<void> {
  const bytes = await readFile(path)
  await appendFile(path, bytes.subarray(Math.max(0, bytes.length - 200), bytes.length - 100))
}

const damages: Readonly<Record<string, { readonly repaired: boolean; damage(shop: ShopUnderTest): Promise<void> }>> = {
  'rubbish behind the newest messages': {
    repaired: true,
    damage: async (shop) => await appendFile(await newestSegment(shop, 'messages'), rubbish),
  },
  'half a record behind the newest messages': {
    repaired: true,
    damage: async (shop) => await appendHalfOfTheEnd(await newestSegment(shop, 'messages')),
  },
  'a cut in the newest messages, all of them handled': {
    repaired: true,
    async damage(shop) {
      const path = await newestSegment(shop, 'messages')
      await truncate(path, (await stat(path)).size - 30)
    },
  },
  'a cut in the newest acknowledgements': {
    repaired: true,
    async damage(shop) {
      const path = await newestSegment(shop, 'state')
      await truncate(path, (await stat(path)).size - 10)
    },
  },
  'rubbish behind every write-ahead log': {
    repaired: false,
    async damage(shop) {
      for (const name of await readdir(shop.dir)) {
        if (name.endsWith('.db-wal')) await appendFile(join(shop.dir, name), rubbish)
      }
    },
  },
}

describe('a shop whose files were torn by the crash', () => {
  for (const [what, { repaired, damage }] of Object.entries(damages)) {
    it(`goes on after ${what}`, async () => {
      const { shop, crew } = await killedShop()
      await using _shop = shop
      await damage(shop)
      await shop.open()
      const lines = shop.process().log.filter(({ event }) => event === 'log_repaired')
      assert.equal(lines.length > 0, repaired, shop.process().said())
      const again = shop.busy()
      await pause(1000)
      await again.stop()
      assert.equal(await shop.findFaults(crew, again), '')
      assert.ok(again.orders.size > 5, `only ${again.orders.size} orders were placed afterwards`)
    })
  }

  it('does not start on a log that is damaged in its middle, and tells which file', async () => {
    const { shop } = await killedShop()
    await using _shop = shop
    const path = await newestSegment(shop, 'messages')
    await using file = await open(path, 'r+')
    await file.write(Buffer.from('#'), 0, 1, Math.floor((await file.stat()).size / 2))
    const process = shop.start()
    const exitCode = await process.ended
    assert.equal(exitCode, errorKinds.internal.exit, process.said())
    assert.match(process.said(), /messaging\.log_corrupt/)
    assert.ok(process.said().includes(path), process.said())
  })
})
