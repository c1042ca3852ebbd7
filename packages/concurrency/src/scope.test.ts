import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { PlatformError, sleep } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { currentScope, enterScope, isOutermostScope, leaveScope, openScope, withScope } from './scope.ts'

const isDeadline = { name: 'PlatformError', kind: 'timeout', code: 'concurrency.deadline' }

/** Never settles but by the signal of the scope it runs in. */
const untilAborted = () => sleep(createFakeClock(), 1, currentScope().signal)

describe('withScope()', () => {
  it('gives its result, and what its work throws', async () => {
    assert.equal(await withScope({}, () => 7), 7)
    await assert.rejects(
      withScope({}, () => {
        throw new Error('sync')
      }),
      /sync/,
    )
  })

  it('ends its work with concurrency.deadline when the time is up', async () => {
    const clock = createFakeClock()
    const work = withScope({ timeoutMs: 50, clock }, untilAborted)
    const refused = assert.rejects(work, { ...isDeadline, message: 'The deadline of 50 ms has passed' })
    await clock.advance(49)
    assert.equal(clock.pendingTimers, 1)
    await clock.advance(1)
    await refused
    assert.equal(clock.pendingTimers, 0)
  })

  it('settles only when its work has settled, however late', async () => {
    const clock = createFakeClock()
    let hasSettled = false
    const stubborn = withScope({ timeoutMs: 10, clock }, () => sleep(clock, 1000, new AbortController().signal)).then(
      () => {
        hasSettled = true
      },
    )
    await clock.advance(999)
    assert.equal(hasSettled, false)
    await clock.advance(1)
    await stubborn
  })

  it('has ended from the start when it allows 0 ms', async () => {
    const clock = createFakeClock()
    await withScope({ timeoutMs: 0, clock }, (scope) => {
      assert.equal(scope.remainingMs(), 0)
      assert.throws(() => scope.signal.throwIfAborted(), isDeadline)
    })
    assert.equal(clock.pendingTimers, 0)
  })

  for (const timeoutMs of [-1, Number.NaN]) {
    it(`refuses to allow ${timeoutMs} ms`, async () => {
      await assert.rejects(
        withScope({ timeoutMs }, () => {}),
        RangeError,
      )
    })
  }

  it('travels through awaits and is gone outside', async () => {
    const clock = createFakeClock()
    await withScope({ timeoutMs: 5, clock }, async (scope) => {
      await undefined
      assert.equal(currentScope().signal, scope.signal)
    })
    assert.ok(isOutermostScope(currentScope()))
  })
})

describe('nested scopes', () => {
  it('keep the earlier deadline, whoever set it, on the clock of the outer one', async () => {
    const clock = createFakeClock()
    await clock.advance(100)
    await withScope({ timeoutMs: 50, clock }, async () => {
      await withScope({ timeoutMs: 80 }, (inner) => assert.equal(inner.deadlineMs, 150))
      await withScope({ timeoutMs: 20 }, (inner) => {
        assert.equal(inner.deadlineMs, 120)
        assert.equal(inner.clock, clock)
      })
      await withScope({}, (inner) => assert.equal(inner.remainingMs(), 50))
    })
  })

  it('share the timer of the outer one when it ends first, and hear its reason', async () => {
    const clock = createFakeClock()
    const work = withScope({ timeoutMs: 50, clock }, () =>
      withScope({ timeoutMs: 80 }, () => {
        assert.equal(clock.pendingTimers, 1)
        return untilAborted()
      }),
    )
    const refused = assert.rejects(work, { ...isDeadline, message: 'The deadline of 50 ms has passed' })
    await clock.advance(50)
    await refused
  })

  it('end inside only when the inner deadline is the earlier one', async () => {
    const clock = createFakeClock()
    await withScope({ timeoutMs: 50, clock }, async (outer) => {
      const inner = assert.rejects(withScope({ timeoutMs: 20 }, untilAborted), isDeadline)
      await clock.advance(20)
      await inner
      assert.equal(outer.signal.aborted, false)
    })
  })

  it('give way to an explicit signal, but keep the deadline', async () => {
    const clock = createFakeClock()
    using outer = openScope({ timeoutMs: 50, clock })
    const own = new AbortController()
    const inner = enterScope(outer, () => openScope({ signal: own.signal }))
    outer.cancel(new Error('the caller has left'))
    assert.equal(inner.signal.aborted, false)
    await clock.advance(50)
    assert.throws(() => inner.signal.throwIfAborted(), { ...isDeadline, message: 'The deadline has passed' })
    inner[Symbol.dispose]()
    assert.equal(getEventListeners(own.signal, 'abort').length, 0)
  })

  it('take over the reason of an explicit signal, aborted before or after', () => {
    const reason = new Error('mine')
    using before = openScope({ signal: AbortSignal.abort(reason) })
    assert.equal(before.signal.reason, reason)
    const own = new AbortController()
    using after = openScope({ signal: own.signal })
    own.abort(reason)
    assert.equal(after.signal.reason, reason)
  })
})

describe('leaveScope()', () => {
  it('runs outside every scope, for what outlives whoever starts it', async () => {
    await withScope({ timeoutMs: 1000 }, async () => {
      assert.ok(!isOutermostScope(currentScope()))
      const begun = leaveScope(async () => {
        await undefined
        return currentScope()
      })
      assert.ok(isOutermostScope(await begun))
      assert.ok(!isOutermostScope(currentScope()))
    })
  })
})

describe('openScope()', () => {
  it('cancel() ends it with concurrency.cancelled, or with the reason given; the first reason stays', () => {
    using plain = openScope()
    plain.cancel()
    assert.ok(PlatformError.is(plain.signal.reason) && plain.signal.reason.code === 'concurrency.cancelled')
    using scope = openScope()
    scope.cancel('first')
    scope.cancel('second')
    assert.equal(scope.signal.reason, 'first')
  })

  it('leaves no timer and no listener after 100,000 scopes', () => {
    const clock = createFakeClock()
    using parent = openScope({ timeoutMs: 1000, clock })
    enterScope(parent, () => {
      for (let cycle = 0; cycle < 100_000; cycle++) {
        using _scope = openScope({ timeoutMs: cycle % 2 === 0 ? 10 : 2000 })
      }
    })
    assert.equal(clock.pendingTimers, 1)
    assert.equal(getEventListeners(parent.signal, 'abort').length, 0)
  })
})
