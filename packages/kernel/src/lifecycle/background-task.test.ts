import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import { currentScope } from '@plinth/concurrency'
import { type BackgroundTaskOptions, supervise } from './background-task.ts'

function supervised(
  work: (attempt: number, signal: AbortSignal) => Promise<void>,
  options: BackgroundTaskOptions = {},
) {
  const clock = createFakeClock()
  const controller = new AbortController()
  const pauses: (number | undefined)[] = []
  let attempt = 0
  const deps = {
    clock,
    signal: controller.signal,
    onFailure: (_task: unknown, _failure: unknown, pauseMs: number | undefined) => pauses.push(pauseMs),
  }
  const task = supervise(deps, { name: 'loop', work: (scope) => work(++attempt, scope.signal), ...options })
  return { clock, controller, pauses, task, attempts: () => attempt }
}

const fail = () => Promise.reject(new Error('no'))

describe('supervise', () => {
  it('supervise() starts a failing task again after pauses that double up to their bound', async () => {
    const { clock, pauses, task, attempts } = supervised(fail, { backoffMinMs: 100, backoffMaxMs: 350 })
    await clock.advance(99)
    assert.deepEqual([attempts(), task.state], [1, 'waiting'])
    await clock.advance(800)
    assert.deepEqual(pauses, [100, 200, 350, 350])
    assert.equal(task.failures, 4)
    assert.equal(task.lastFailure?.kind, 'internal')
    await task[Symbol.asyncDispose]()
    assert.equal(task.state, 'cancelled')
    assert.equal(clock.pendingTimers, 0)
  })

  it('supervise() begins again at the first pause after a run that lasted', async () => {
    const { clock, pauses, task } = supervised(
      async (attempt) => {
        if (attempt === 2)
          await clock.advance(0).then(() => new Promise<void>((resolve) => void clock.setTimer(resolve, 5000)))
        await fail()
      },
      { backoffMinMs: 100, resetAfterMs: 5000 },
    )
    await clock.advance(100)
    await clock.advance(5000)
    await clock.advance(100)
    assert.deepEqual(pauses, [100, 100, 200])
    await task[Symbol.asyncDispose]()
  })

  it('supervise() gives a task up after restartsMax failures in a row', async () => {
    const { clock, pauses, task } = supervised(fail, { restartsMax: 2 })
    await clock.advance(10_000)
    await task.ended
    assert.deepEqual([task.state, pauses], ['given_up', [100, 200, undefined]])
  })

  it('supervise() is done when the task returns, and cancelled when its owner ends', async () => {
    const done = supervised(async () => {})
    await done.task.ended
    assert.equal(done.task.state, 'done')
    const obedient = supervised(
      (_attempt, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    await obedient.clock.advance(0)
    assert.equal(obedient.task.state, 'running')
    obedient.controller.abort()
    await obedient.task.ended
    assert.deepEqual([obedient.task.state, obedient.pauses], ['cancelled', []])
    const waiting = supervised(fail)
    await waiting.clock.advance(50)
    waiting.controller.abort()
    await waiting.task.ended
    assert.deepEqual([waiting.task.state, waiting.clock.pendingTimers], ['cancelled', 0])
  })

  it('supervise() runs the task in a scope of its own', async () => {
    let isOwn = false
    const { controller, task } = supervised(async (_attempt, signal) => {
      isOwn = currentScope().signal === signal
    })
    await task.ended
    assert.equal(isOwn, true)
    controller.abort()
  })

  it('supervise() refuses options out of bounds, all at once', () => {
    assert.throws(
      () => supervised(fail, { backoffMinMs: 0, backoffMaxMs: -1, resetAfterMs: -1, restartsMax: Number.NaN }),
      {
        name: 'RangeError',
        message: /backoffMinMs.*backoffMaxMs.*resetAfterMs.*restartsMax/,
      },
    )
  })
})
