import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSeededRandom } from '@plinth/base'
import { openLogBus } from './log-bus.ts'
import type { LogBusOptions } from './log-bus-options.ts'
import { createMemoryDisk, type MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts'
import { Heard, newMessage, numbered, numberOf } from './testing/bus-fixture.ts'

const topics = ['orders.order']
const firstSegment = `bus/messages/${'0'.repeat(20)}.log`

function open(disk: MemoryDisk, options: Partial<LogBusOptions> = {}) {
  return openLogBus({ folder: 'bus', segmentBytes: 4096, bytesMax: 1 << 20, ...options }, { disk })
}

/** Numbers of key `k` that the log holds, read beside all groups. */
async function stored(disk: MemoryDisk): Promise<number[]> {
  await using bus = await open(disk)
  const [topic] = await bus.admin.topics()
  const left = Number((topic?.nextOffset ?? 0n) - (topic?.firstOffset ?? 0n))
  const numbers: number[] = []
  if (left === 0) return numbers
  for await (const message of bus.admin.tail({ topic: 'orders.order', from: 'earliest' })) {
    numbers.push(numberOf(message))
    if (numbers.length === left) break
  }
  return numbers
}

async function threePublishes(disk: MemoryDisk): Promise<number[]> {
  await using bus = await open(disk)
  const ends: number[] = []
  for (const message of numbered('k', 3)) {
    await bus.publish([message])
    ends.push(disk.bytesOf(firstSegment).length)
  }
  return ends
}

test('openLogBus() repairs a log torn at any byte of its last write', async () => {
  const disk = createMemoryDisk()
  const [, before, end] = await threePublishes(disk)
  const whole = disk.bytesOf(firstSegment)
  assert.equal(whole.length, end)
  for (let cut = before as number; cut < whole.length; cut++) {
    disk.overwrite(firstSegment, whole.subarray(0, cut))
    assert.deepEqual(await stored(disk), [0, 1], `cut at ${cut}`)
  }
  disk.overwrite(firstSegment, whole)
  assert.deepEqual(await stored(disk), [0, 1, 2])
})

test('openLogBus() repairs a log whose last write has any one byte wrong, and keeps the torn bytes aside', async () => {
  const disk = createMemoryDisk()
  const [, before] = await threePublishes(disk)
  const whole = disk.bytesOf(firstSegment)
  for (let at = before as number; at < whole.length; at++) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] as number) ^ 0x10
    disk.overwrite(firstSegment, damaged)
    const numbers = await stored(disk)
    assert.deepEqual(numbers, [0, 1], `damaged at ${at}`)
  }
  const backups = (await disk.list('bus/messages')).filter((name) => name.includes('.torn-'))
  assert.ok(backups.length >= 1 && backups.length <= 4, `${backups.length} backups`)
})

test('openLogBus() refuses a log damaged where it had been acknowledged, and changes nothing', async () => {
  const disk = createMemoryDisk()
  const [first] = await threePublishes(disk)
  const whole = disk.bytesOf(firstSegment)
  for (let at = 0; at < (first as number); at++) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] as number) ^ 0x01
    disk.overwrite(firstSegment, damaged)
    // The last 12 bytes of the header say nothing and are checked all the same.
    await assert.rejects(open(disk), { kind: 'internal', code: 'messaging.log_corrupt' }, `damaged at ${at}`)
    assert.deepEqual(disk.bytesOf(firstSegment), damaged)
  }
})

test('a reader that meets damage in a closed segment stands still and says where', async () => {
  const disk = createMemoryDisk()
  await using bus = await open(disk)
  for (const message of numbered('k', 60)) await bus.publish([{ ...message, headers: { pad: 'x'.repeat(200) } }])
  const damaged = disk.bytesOf(firstSegment)
  damaged[1500] = (damaged[1500] as number) ^ 1
  disk.overwrite(firstSegment, damaged)
  const read = async () => {
    let count = 0
    for await (const _ of bus.admin.tail({ topic: 'orders.order', from: 'earliest' })) count++
    return count
  }
  await assert.rejects(read(), (error: { code: string; details: { file: string; offset: number } }) => {
    assert.equal(error.code, 'messaging.log_corrupt')
    assert.equal(error.details.file, firstSegment)
    assert.ok(error.details.offset <= 1500)
    return true
  })
})

test('openLogBus() refuses a folder that another bus has', async () => {
  const disk = createMemoryDisk()
  await using _first = await open(disk)
  await assert.rejects(open(disk), { kind: 'precondition', code: 'messaging.folder_locked' })
})

test('publish() refuses on a full disk, shows nothing of it, and goes on when there is room', async () => {
  const disk = createMemoryDisk()
  const bus = await open(disk)
  const heard = new Heard()
  await bus.subscribe({ topics, group: 'g', handler: heard.handler })
  await bus.publish(numbered('k', 2))
  await heard.count(2)
  disk.resize(disk.bytesOf(firstSegment).length + 400)
  const large = newMessage({ key: 'k', payload: Buffer.from('9'.repeat(2000)) })
  for (let attempt = 0; attempt < 3; attempt++) {
    await assert.rejects(bus.publish([large]), { kind: 'exhausted', code: 'messaging.full', retryable: true })
  }
  disk.resize(Infinity)
  await bus.publish([newMessage({ key: 'k', payload: Buffer.from('2') })])
  await heard.count(3)
  assert.deepEqual(heard.of('k'), [0, 1, 2])
  await bus[Symbol.asyncDispose]()
  assert.deepEqual(await stored(disk), [0, 1, 2])
})

for (const kind of ['write', 'sync', 'open', 'syncFolder'] as const) {
  test(`publish() survives a disk whose ${kind} fails once`, async () => {
    let failing = false
    const onOperation: MemoryDiskOptions['onOperation'] = (operation) => {
      if (!failing || operation.kind !== kind || !operation.path.includes('/messages')) return
      failing = false
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: kind })
    }
    const disk = createMemoryDisk({ onOperation })
    const acknowledged: number[] = []
    {
      await using bus = await open(disk)
      for (const [n, message] of numbered('k', 40).entries()) {
        failing = n % 5 === 3
        const done = bus.publish([{ ...message, headers: { pad: 'x'.repeat(300) } }])
        await done.then(
          () => acknowledged.push(n),
          (error) => assert.equal(error.code, 'messaging.disk_failed'),
        )
      }
      failing = false
    }
    assert.ok(acknowledged.length >= 32)
    assert.deepEqual(await stored(disk), acknowledged)
  })
}

test('publish() refuses past the budget and goes on once old segments are handled', async () => {
  const disk = createMemoryDisk()
  await using bus = await open(disk, { bytesMax: 16_384, retainBytes: 0 })
  const filler = () => newMessage({ payload: new Uint8Array(1000) })
  // A group that has begun and not come further: what it has not handled stays.
  await (await bus.subscribe({ topics, group: 'g', handler: async () => {} })).close()
  let published = 0
  await assert.rejects(
    async () => {
      for (;;) {
        await bus.publish([filler()])
        published++
      }
    },
    { kind: 'exhausted', code: 'messaging.full' },
  )
  assert.ok(published >= 8, `${published} fitted`)
  const heard = new Heard()
  await bus.subscribe({ topics, group: 'g', handler: heard.handler })
  await heard.count(published)
  for (;;) {
    const error = await bus.publish([filler()]).then(
      () => undefined,
      (fault) => fault,
    )
    if (error === undefined) break
    assert.equal(error.code, 'messaging.full')
    await new Promise((resolve) => setImmediate(resolve))
  }
  await heard.count(published + 1)
  const [topic] = await bus.admin.topics()
  assert.ok((topic?.firstOffset ?? 0n) > 0n)
  assert.equal(topic?.nextOffset, BigInt(published + 1))
})

test('retention keeps offsets growing across a restart when all messages are gone', async () => {
  const disk = createMemoryDisk()
  let next = 0n
  {
    await using bus = await open(disk, { retainBytes: 0, bytesMax: 8192 })
    for (let n = 0; n < 30; n++) {
      await bus.publish([newMessage({ payload: new Uint8Array(1000) })]).catch(() => {})
      await new Promise((resolve) => setImmediate(resolve))
    }
    await bus.publish([newMessage({ topic: 'a.other', payload: new Uint8Array(2000) })]).catch(() => {})
    next = (await bus.admin.topics()).find(({ topic }) => topic === 'orders.order')?.nextOffset ?? 0n
  }
  await using bus = await open(disk, { retainBytes: 0, bytesMax: 8192 })
  assert.ok(next > 5n)
  assert.equal((await bus.admin.topics()).find(({ topic }) => topic === 'orders.order')?.nextOffset, next)
})

test('a power cut at any moment loses no acknowledged message and keeps the order of every key', async () => {
  for (let seed = 1; seed <= 60; seed++) await powerCuts(seed)
})

/** Publishes and handles through several power cuts, then checks what a fresh group finds. */
async function powerCuts(seed: number): Promise<void> {
  const random = createSeededRandom(seed)
  let disk = createMemoryDisk()
  const acknowledged = new Map<string, number[]>()
  const handled = new Map<string, Set<number>>()
  const next = [0, 0, 0]
  for (let life = 0; life < 4; life++) {
    const bus = await open(disk, { checkpointMs: 0 })
    await bus.subscribe({
      topics,
      group: 'g',
      retry: { backoffMinMs: 0, backoffMaxMs: 0, attemptsMax: 100 },
      async handler(message) {
        if (random.int(5) === 0) throw new Error('try again')
        handled.getOrInsertComputed(message.key, () => new Set()).add(numberOf(message))
      },
    })
    const publishing = next.map(async (_, which) => {
      const key = `k${which}`
      try {
        for (;;) {
          const n = next[which] as number
          next[which] = n + 1
          await bus.publish([{ ...newMessage({ key, payload: Buffer.from(String(n)) }) }])
          acknowledged.getOrInsertComputed(key, () => []).push(n)
        }
      } catch (error) {
        assert.equal((error as { code: string }).code, 'messaging.disk_failed')
      }
    })
    for (let turns = random.int(60); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
    disk = disk.crash(random)
    await Promise.all(publishing)
    await bus[Symbol.asyncDispose]()
  }
  await using bus = await open(disk)
  const [topic] = await bus.admin.topics()
  const total = Number(topic?.nextOffset ?? 0n)
  const audit = new Heard()
  const rest = new Heard()
  await bus.subscribe({ topics, group: 'audit', handler: audit.handler })
  await bus.subscribe({
    topics,
    group: 'g',
    async handler(message) {
      handled.getOrInsertComputed(message.key, () => new Set()).add(numberOf(message))
      rest.add(message)
    },
  })
  await audit.count(total)
  const lag = async () => (await bus.admin.groups()).find(({ group }) => group === 'g')?.lag
  while ((await lag()) !== 0n) await new Promise((resolve) => setImmediate(resolve))
  for (const [key, numbers] of acknowledged) {
    const found = audit.of(key)
    assert.deepEqual(
      found,
      found.toSorted((a, b) => a - b),
      `seed ${seed}: ${key} in order`,
    )
    for (const n of numbers) {
      assert.ok(found.includes(n), `seed ${seed}: ${key} ${n} was acknowledged and is lost`)
      assert.ok(handled.get(key)?.has(n), `seed ${seed}: ${key} ${n} was never handled`)
    }
  }
}
