import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFile, stat } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { createSeededRandom, type Random } from '@plinth/base'
import { openSqliteStore } from './sqlite-store.ts'
import { sql } from './statement.ts'
import { createSqliteFolder } from './testing.ts'

const kills = 20
const list = sql<{ after: number }, { unit: number; halves: number }>`
  select unit, count(*) as halves from half where unit > ${'after'} group by unit order by unit limit 10000`
const check = sql<Record<never, never>, { integrity_check: string }>`pragma integrity_check`

/** Runs the writer until it is killed at a random moment; gives the units it had been told are durable. */
async function writeUntilKilled(file: string, random: Random): Promise<number[]> {
  const child = spawn(process.execPath, [new URL('testing/crash-writer.ts', import.meta.url).pathname, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged: number[] = []
  let rest = ''
  let isKilling = false
  for await (const chunk of child.stdout.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    // A line is written in one piece or not at all; the last one may be torn by the kill.
    rest = lines.pop() ?? ''
    for (const line of lines) acknowledged.push(Number(line))
    if (!isKilling) {
      isKilling = true
      setTimeout(() => child.kill('SIGKILL'), random.int(60))
    }
  }
  return acknowledged
}

describe('SqliteStore', () => {
  it(`write() keeps every acknowledged unit whole through ${kills} times SIGKILL`, async (t) => {
    await using folder = await createSqliteFolder()
    const seed = Date.now()
    t.diagnostic(`seed ${seed}`)
    const random = createSeededRandom(seed)
    const acknowledged = new Set<number>()
    for (let kill = 0; kill < kills; kill++) {
      const told = await writeUntilKilled(folder.file, random)
      assert.ok(told.length > 0, 'the writer was killed before it wrote')
      for (const unit of told) acknowledged.add(unit)
      // What a power cut leaves behind a log: bytes that are no frame. They are dropped, and nothing before them.
      if (kill % 2 === 1) await tear(`${folder.file}-wal`, random)
      await using store = await openSqliteStore({ path: folder.file })
      const found = new Set<number>()
      for (let after = -1; ; ) {
        const rows = await store.read((tx) => tx.all(list, { after }))
        for (const { unit, halves } of rows) {
          assert.equal(halves, 2, `unit ${unit} is half there`)
          found.add(unit)
        }
        const last = rows.at(-1)
        if (!last) break
        after = last.unit
      }
      assert.deepEqual([...acknowledged.difference(found)], [], 'acknowledged and lost')
      assert.deepEqual(await store.read((tx) => tx.all(check, {})), [{ integrity_check: 'ok' }])
    }
    t.diagnostic(`${acknowledged.size} acknowledged units`)
  })
})

async function tear(log: string, random: Random): Promise<void> {
  const { size } = await stat(log)
  assert.ok(size > 0)
  await appendFile(log, random.fill(new Uint8Array(1 + random.int(6000))))
}
