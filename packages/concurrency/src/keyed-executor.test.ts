import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import { createKeyedExecutor } from './keyed-executor.ts'

const settled = () => createFakeClock().advance(0)

describe('createKeyedExecutor()', () => {
  it('runs tasks of a key in order and those of other keys meanwhile, in any order of events', async () => {
    const tasks = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean() }), { maxLength: 15 })
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        tasks,
        fc.option(fc.integer({ min: 1, max: 3 })),
        async (scheduler, plan, limit) => {
          const executor = createKeyedExecutor<string>(limit === null ? {} : { limit })
          const running = new Set<string>()
          const seen: Record<string, number[]> = { a: [], b: [], c: [] }
          const calls = plan.map(({ key, fails }, at) => {
            const call = executor.run(key, async () => {
              assert.ok(!running.has(key))
              running.add(key)
              assert.ok(running.size <= (limit ?? Infinity))
              seen[key]?.push(at)
              await scheduler.schedule(Promise.resolve(), `${key}${at}`)
              running.delete(key)
              if (fails) throw new Error(`${at}`)
              return at
            })
            return fails ? assert.rejects(call, { message: `${at}` }) : call.then((value) => assert.equal(value, at))
          })
          await scheduler.waitFor(Promise.all(calls))
          for (const [key, order] of Object.entries(seen)) {
            assert.deepEqual(
              order,
              [...plan.keys()].filter((at) => plan[at]?.key === key),
            )
          }
          assert.deepEqual([executor.size, executor.waiting], [0, 0])
        },
      ),
    )
  })

  it('lets a task that waits leave with its signal, and keeps the order of the rest', async () => {
    const executor = createKeyedExecutor<string>()
    const gate = Promise.withResolvers<void>()
    const seen: string[] = []
    const own = new AbortController()
    const first = executor.run('k', () => gate.promise)
    const left = assert.rejects(
      executor.run('k', () => assert.fail('must not run'), { signal: own.signal }),
      /left/,
    )
    const last = executor.run('k', () => seen.push('last'))
    own.abort(new Error('left'))
    await left
    assert.equal(executor.waiting, 1)
    gate.resolve()
    await Promise.all([first, last])
    assert.deepEqual(seen, ['last'])
  })

  it('refuses a task when too many wait', async () => {
    const executor = createKeyedExecutor<string>({ waitingMax: 1 })
    const gate = Promise.withResolvers<void>()
    const taken = [executor.run('k', () => gate.promise), executor.run('k', () => {})]
    await assert.rejects(
      executor.run('k', () => {}),
      { kind: 'exhausted', code: 'concurrency.queue_full' },
    )
    await executor.run('other', () => {})
    gate.resolve()
    await Promise.all(taken)
  })

  it('finishes what it took when it is disposed, and takes no more', async () => {
    const executor = createKeyedExecutor<string>()
    const gate = Promise.withResolvers<void>()
    const seen: number[] = []
    void executor.run('k', () => gate.promise)
    void executor.run('k', () => seen.push(1))
    let isClosed = false
    const closing = executor[Symbol.asyncDispose]().then(() => {
      isClosed = true
    })
    await assert.rejects(
      executor.run('k', () => {}),
      { kind: 'unavailable', code: 'concurrency.closed' },
    )
    await settled()
    assert.equal(isClosed, false)
    gate.resolve()
    await closing
    assert.deepEqual(seen, [1])
    await executor[Symbol.asyncDispose]()
  })

  for (const options of [{ limit: 0 }, { waitingMax: -1 }, { waitingMax: Number.NaN }]) {
    it(`refuses ${Object.entries(options)}`, () => assert.throws(() => createKeyedExecutor(options), RangeError))
  }
})
