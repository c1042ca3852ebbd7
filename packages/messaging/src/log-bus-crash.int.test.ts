import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSeededRandom } from '@plinth/base'
import { openLogBus } from './log-bus.ts'
import { Heard, numberOf } from './testing/bus-fixture.ts'

const rounds = 20
const keys = 8

/** What the children said: the numbers acknowledged by `publish`, and those handled by group `g`, by key. */
interface Witness {
  readonly acknowledged: Map<string, number[]>
  readonly handled: Map<string, Set<number>>
  lines: number
}

/** Runs a child that publishes and handles until it is killed. */
async function liveAndDie(folder: string, options: { first: number; lifeMs: number; witness: Witness }): Promise<void> {
  const { first, lifeMs, witness } = options
  const program = join(import.meta.dirname, 'testing', 'crash-child.ts')
  const child = spawn(process.execPath, [program, folder, String(first), String(keys)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  let started = false
  child.stdout.setEncoding('utf8').on('data', (piece) => {
    text += piece
    if (started || !text.includes('\n')) return
    started = true
    setTimeout(() => child.kill('SIGKILL'), lifeMs)
  })
  const [, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (code, by) => resolve([code, by]))
  })
  assert.equal(signal, 'SIGKILL', `the child ended by itself: ${text.slice(-500)}`)
  // The last line may be cut: what was not said completely was not said.
  for (const line of text.slice(0, text.lastIndexOf('\n')).split('\n')) {
    const [what, key, number] = line.split(' ') as [string, string, string]
    witness.lines++
    if (what === 'acknowledged') witness.acknowledged.getOrInsertComputed(key, () => []).push(Number(number))
    if (what === 'handled') witness.handled.getOrInsertComputed(key, () => new Set()).add(Number(number))
  }
}

test(`${rounds} kills at random moments lose no acknowledged message`, { timeout: 120_000 }, async () => {
  const random = createSeededRandom(20_260_101)
  const folder = await mkdtemp(join(tmpdir(), 'plinth-crash-'))
  const witness: Witness = { acknowledged: new Map(), handled: new Map(), lines: 0 }
  for (let round = 0; round < rounds; round++) {
    await liveAndDie(folder, { first: round * 1_000_000, lifeMs: random.int(120), witness })
  }
  const bus = await openLogBus({ folder })
  const total = Number((await bus.admin.topics())[0]?.nextOffset ?? 0n)
  const audit = new Heard()
  await bus.subscribe({ topics: ['crash.test'], group: 'audit', handler: audit.handler })
  await bus.subscribe({
    topics: ['crash.test'],
    group: 'g',
    handler: async (message) =>
      void witness.handled.getOrInsertComputed(message.key, () => new Set()).add(numberOf(message)),
  })
  await audit.count(total)
  const lag = async () => (await bus.admin.groups()).find(({ group }) => group === 'g')?.lag
  while ((await lag()) !== 0n) await new Promise((resolve) => setImmediate(resolve))
  const count = witness.acknowledged.values().reduce((sum, numbers) => sum + numbers.length, 0)
  assert.ok(count > rounds * 10, `only ${count} were acknowledged`)
  for (const [key, numbers] of witness.acknowledged) {
    const found = audit.of(key)
    const unique = new Set(found)
    assert.deepEqual(
      found,
      found.toSorted((a, b) => a - b),
      `${key} in order`,
    )
    assert.deepEqual(
      numbers.filter((n) => !unique.has(n)),
      [],
      `${key} lost`,
    )
    assert.deepEqual(
      numbers.filter((n) => !witness.handled.get(key)?.has(n)),
      [],
      `${key} never handled`,
    )
  }
  await bus[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('a bus whose process was killed leaves no lock behind, and a living one is respected', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-lock-'))
  const witness: Witness = { acknowledged: new Map(), handled: new Map(), lines: 0 }
  await liveAndDie(folder, { first: 0, lifeMs: 1, witness })
  const bus = await openLogBus({ folder })
  await assert.rejects(openLogBus({ folder }), { kind: 'precondition', code: 'messaging.folder_locked' })
  await bus[Symbol.asyncDispose]()
  await (await openLogBus({ folder }))[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})
