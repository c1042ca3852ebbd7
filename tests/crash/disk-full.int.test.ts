import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Answer, pause } from './shop-client.ts'
import { ShopUnderTest } from './shop-under-test.ts'

const seed = Number(process.env['PLINTH_CRASH_SEED'] ?? Date.now() % 1_000_000_000)
const diskMib = 96

/** A small disk of its own; or why there is none. */
function mountDisk(path: string): string | undefined {
  if (process.platform !== 'linux') return 'a small disk can be mounted on Linux only'
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMib}m`, 'tmpfs', path], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `mounting a small disk is not permitted here: ${(error as Error).message.split('\n').at(-1) || 'refused'}`
  }
}

/** Takes all the room there is. */
async function fill(path: string): Promise<void> {
  await using file = await open(path, 'w')
  for (let bytes = 1 << 20; bytes >= 512; bytes >>= 1) {
    const piece = Buffer.alloc(bytes, 1)
    await assert.rejects(
      async () => {
        for (;;) await file.write(piece)
      },
      { code: 'ENOSPC' },
    )
  }
}

const disk = mkdtempSync(join(tmpdir(), 'plinth-disk-'))
const noDisk = mountDisk(disk)
if (noDisk === undefined) execFileSync('umount', [disk])

describe('a shop on a disk that is full', { skip: noDisk ?? false }, () => {
  before(() => void mountDisk(disk))
  after(() => {
    execFileSync('umount', [disk])
    rmSync(disk, { recursive: true })
  })

  it('says so, loses nothing that it acknowledged, and goes on once there is room', async (t) => {
    t.diagnostic(`seed ${seed} (PLINTH_CRASH_SEED)`)
    const refusals = new Map<string, number>()
    const unclear: Answer[] = []
    const onAnswer = (answer: Answer) => {
      if (answer.status !== 429 && answer.status < 500) return
      const code = String(answer.body['code'] ?? '')
      refusals.set(`${answer.status} ${code}`, (refusals.get(`${answer.status} ${code}`) ?? 0) + 1)
      if (!clear.has(code)) unclear.push(answer)
    }
    const dir = join(disk, 'data')
    // What cannot be written is told of in the log, at the level of an error.
    const excused = (line: { readonly code?: string }) => clear.has(line.code ?? '')
    await using shop = await ShopUnderTest.create({ processes: [[]], seed, dir, excused, onAnswer })
    await shop.openAll()
    await shop.furnish()
    const crew = shop.busy()
    await pause(1500)
    await fill(join(disk, 'ballast'))
    await until(() => (refusals.get('429 data.disk_full') ?? 0) > 20, 'nobody was told that the disk is full')
    await pause(3000)
    const placed = crew.orders.size
    await rm(join(disk, 'ballast'))
    await until(() => crew.orders.size > placed + 20, 'no order could be placed after there was room again')
    await crew.stop()
    t.diagnostic(`${crew.orders.size} orders; refusals: ${JSON.stringify(Object.fromEntries(refusals))}`)
    assert.equal(await shop.findFaults(crew), '')
    assert.deepEqual(unclear.slice(0, 5), [])
  })
})

/** What may be answered, and logged, while nothing can be written. */
const clear = new Set(['base.disk_full', 'data.disk_full', 'messaging.full', 'messaging.disk_failed'])

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += 100) {
    assert.ok(waitedMs < 30_000, otherwise)
    await pause(100)
  }
}
