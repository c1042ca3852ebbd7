import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sleep } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import { currentScope, enterScope, openScope } from './scope.ts'
import { type TaskGroup, withTaskGroup } from './task-group.ts'

const boom = new Error('boom')
const untilAborted = () => sleep(createFakeClock(), 1, currentScope().signal)
const reject = (error: unknown) => () => Promise.reject(error)

describe('withTaskGroup()', () => {
  it('gives what the body gives, after all tasks have ended', async () => {
    const clock = createFakeClock()
    const ended: string[] = []
    const group = withTaskGroup({}, (group) => {
      for (const [name, ms] of [
        ['slow', 20],
        ['quick', 10],
      ] as const) {
        void group.go(async () => {
          await sleep(clock, ms)
          ended.push(name)
        })
      }
      return 'body'
    }).then((result) => [result, ...ended])
    await clock.advance(20)
    assert.deepEqual(await group, ['body', 'quick', 'slow'])
  })

  it('cancels the rest at the first error, waits for them, and throws that error', async () => {
    let ended = 0
    const group = withTaskGroup({}, (group) => {
      void group.go(() => untilAborted().finally(() => ended++))
      void group.go(() => untilAborted().finally(() => ended++))
      void group.go(reject(boom))
    })
    await assert.rejects(group, boom)
    assert.equal(ended, 2)
  })

  it('waits for tasks that start after the group stood idle', async () => {
    const clock = createFakeClock()
    let hasEnded = false
    const group = withTaskGroup({}, async (group) => {
      await group.go(async () => {})
      await sleep(clock, 10)
      void group.go(async () => {
        await sleep(clock, 10)
        hasEnded = true
      })
    }).then(() => hasEnded)
    await clock.advance(20)
    assert.equal(await group, true)
  })

  it('waits for tasks that tasks start, and for those started when another has ended', async () => {
    const clock = createFakeClock()
    const ended: string[] = []
    const nap = (name: string) => async () => {
      await sleep(clock, 1)
      ended.push(name)
    }
    const group = withTaskGroup({}, (group) => {
      void group.go(nap('first')).then(() => group.go(nap('chained')))
      void group.go(async () => void group.go(nap('child')))
    }).then(() => [...ended])
    await clock.advance(2)
    assert.deepEqual(await group, ['first', 'child', 'chained'])
  })

  it('takes no task once it has ended', async () => {
    let leaked: TaskGroup | undefined
    await withTaskGroup({}, (group) => {
      leaked = group
    })
    assert.throws(() => leaked?.go(() => {}), TypeError)
  })

  it('cancels its tasks when the body fails, and throws that', async () => {
    let reason: unknown
    const group = withTaskGroup({}, async (group) => {
      void group.go(() => untilAborted().catch((error) => (reason = error)))
      throw boom
    })
    await assert.rejects(group, boom)
    assert.equal(reason, boom)
  })

  it('hands later failures to onSuppressed, not those that repeat the first', async () => {
    const suppressed: unknown[] = []
    const later = new Error('later')
    const group = withTaskGroup({ onSuppressed: (error) => suppressed.push(error) }, async (group) => {
      void group.go(untilAborted)
      void group.go(() =>
        untilAborted().catch(() => {
          throw later
        }),
      )
      await group.go(reject(boom))
    })
    await assert.rejects(group, boom)
    assert.deepEqual(suppressed, [later])
  })

  it('fails with undefined when a task throws undefined', async () => {
    const outcome = await withTaskGroup({}, (group) => void group.go(reject(undefined))).then(
      () => 'succeeded',
      (error) => error,
    )
    assert.equal(outcome, undefined)
  })

  it('runs as a task of another group, which cancels it', async () => {
    let innerReason: unknown
    const outer = withTaskGroup({}, (group) => {
      void group.go(() =>
        withTaskGroup({}, (inner) => {
          void inner.go(() => untilAborted().catch((error) => (innerReason = error)))
        }),
      )
      void group.go(reject(boom))
    })
    await assert.rejects(outer, boom)
    assert.equal(innerReason, boom)
  })
})

describe('withTaskGroup({ limit })', () => {
  it('runs no more tasks at once, and starts the others in order', async () => {
    const clock = createFakeClock()
    const started: number[] = []
    let running = 0
    let most = 0
    const group = withTaskGroup({ limit: 2 }, (group) => {
      for (let n = 0; n < 7; n++) {
        void group.go(async () => {
          started.push(n)
          most = Math.max(most, ++running)
          await sleep(clock, 10)
          running--
        })
      }
    })
    await clock.advance(100)
    await group
    assert.deepEqual([started, most], [[0, 1, 2, 3, 4, 5, 6], 2])
  })

  it('tryGo() starts a task only when it can start now', async () => {
    await withTaskGroup({ limit: 1 }, async (group) => {
      const first = group.tryGo(() => 'ran')
      assert.equal(
        group.tryGo(() => 'never'),
        undefined,
      )
      assert.equal(await first, 'ran')
    })
  })

  it('rejects waiting tasks with the reason when one fails; they never run', async () => {
    const waiting: Promise<unknown>[] = []
    let ran = 0
    const group = withTaskGroup({ limit: 1 }, (group) => {
      void group.go(reject(boom))
      for (let n = 0; n < 3; n++) waiting.push(group.go(() => ran++))
    })
    await assert.rejects(group, boom)
    for (const promise of waiting) await assert.rejects(promise, boom)
    assert.equal(ran, 0)
  })

  it('fails when it is cancelled before a waiting task could run, even if the running ones finish well', async () => {
    const clock = createFakeClock()
    const own = new AbortController()
    const group = withTaskGroup({ limit: 1, signal: own.signal }, (group) => {
      void group.go(() => sleep(clock, 10, new AbortController().signal))
      void group.go(() => assert.fail('must not run'))
    })
    const refused = assert.rejects(group, boom)
    own.abort(boom)
    await clock.advance(10)
    await refused
  })

  it('fails when a task comes after it was cancelled', async () => {
    using scope = openScope()
    const group = enterScope(scope, () =>
      withTaskGroup({}, (group) => {
        scope.cancel(boom)
        void group.go(() => assert.fail('must not run'))
      }),
    )
    await assert.rejects(group, boom)
  })

  it('fails with concurrency.queue_full when one task too many waits', async () => {
    const group = withTaskGroup({ limit: 1, waitingMax: 2 }, (group) => {
      void group.go(untilAborted)
      for (let n = 0; n < 3; n++) void group.go(() => assert.fail('must not run'))
    })
    await assert.rejects(group, { kind: 'exhausted', code: 'concurrency.queue_full', details: { waitingMax: 2 } })
  })

  it('ends with concurrency.deadline when its time is up', async () => {
    const clock = createFakeClock()
    using scope = openScope({ clock })
    const group = enterScope(scope, () => withTaskGroup({ timeoutMs: 10 }, (group) => void group.go(untilAborted)))
    const refused = assert.rejects(group, { code: 'concurrency.deadline' })
    await clock.advance(10)
    await refused
    assert.equal(clock.pendingTimers, 0)
  })

  for (const options of [{ limit: 0 }, { limit: 1.5 }, { limit: Number.NaN }, { waitingMax: -1 }]) {
    it(`refuses ${JSON.stringify(options)}`, async () => {
      await assert.rejects(
        withTaskGroup(options, () => {}),
        RangeError,
      )
    })
  }

  it('empties a row of 50,000 waiting tasks in time that grows with their number only', async () => {
    let ran = 0
    await withTaskGroup({ limit: 4, waitingMax: 50_000 }, (group) => {
      for (let n = 0; n < 50_000; n++) void group.go(() => ran++)
    })
    assert.equal(ran, 50_000)
  })
})

describe('withTaskGroup() in any order of events', () => {
  const plans = fc.array(fc.record({ fails: fc.boolean(), children: fc.nat(2) }), { maxLength: 8 })

  it('outlives none of its tasks, keeps its limit, and throws the first failure', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), plans, fc.integer({ min: 1, max: 4 }), async (scheduler, plan, limit) => {
        const failures: unknown[] = []
        const suppressed: unknown[] = []
        let running = 0
        let most = 0
        const task = (group: TaskGroup, name: string, { fails, children }: { fails: boolean; children: number }) =>
          void group.go(async () => {
            most = Math.max(most, ++running)
            await scheduler.schedule(Promise.resolve(), name)
            for (let child = 0; child < children; child++) {
              task(group, `${name}.${child}`, { fails: false, children: 0 })
            }
            running--
            if (!fails) return
            failures.push(new Error(name))
            throw failures.at(-1)
          })
        const group = withTaskGroup({ limit, onSuppressed: (error) => suppressed.push(error) }, async (group) => {
          for (const [at, entry] of plan.entries()) task(group, `t${at}`, entry)
          await scheduler.schedule(Promise.resolve(), 'body')
        })
        const outcome = group.then(
          () => undefined,
          (error) => error,
        )
        await scheduler.waitFor(outcome)
        assert.equal(running, 0)
        assert.ok(most <= limit)
        assert.equal(await outcome, failures[0])
        assert.deepEqual(suppressed, failures.slice(1))
      }),
    )
  })
})
