import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import type { Email } from '../domain/email.ts'
import type { Mail } from '../usecases/ports.ts'
import { createMailQueue } from './mail-queue.ts'

const mail = (subject: string): Mail => ({ to: 'ada@example.com' as Email, subject, text: new Secret('text') })

/** A mailer that fails so often and then works. */
function setUp(failures: number, options: Parameters<typeof createMailQueue>[1] = {}) {
  const clock = createFakeClock()
  const sent: string[] = []
  const dropped: unknown[] = []
  let failing = failures
  const queue = createMailQueue(
    {
      clock,
      onDropped: (reason) => dropped.push(typeof reason === 'string' ? reason : reason.code),
      mailer: {
        async send({ subject }) {
          if (failing-- > 0) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
          sent.push(subject)
        },
      },
    },
    options,
  )
  return { clock, queue, sent, dropped }
}

describe('createMailQueue()', () => {
  it('post() sends in order, apart from the caller', async () => {
    const { queue, sent } = setUp(0)
    for (const subject of ['a', 'b', 'c']) queue.post(mail(subject))
    await queue.settled()
    assert.deepEqual(sent, ['a', 'b', 'c'])
  })

  it('post() tries again with growing pauses', async () => {
    const { clock, queue, sent, dropped } = setUp(2, { pauseMs: 100 })
    queue.post(mail('a'))
    await clock.advance(299)
    assert.deepEqual(sent, [])
    await clock.advance(1)
    assert.deepEqual([sent, dropped], [['a'], []])
    assert.equal(clock.pendingTimers, 0)
  })

  it('post() gives up after its tries, says why and goes on with the next', async () => {
    const { clock, queue, sent, dropped } = setUp(2, { attemptsMax: 2 })
    queue.post(mail('a'))
    queue.post(mail('b'))
    await clock.advance(10_000)
    assert.deepEqual([sent, dropped], [['b'], ['base.connection_refused']])
  })

  it('post() drops what does not fit', async () => {
    const { queue, dropped } = setUp(0, { waitingMax: 2 })
    for (let at = 0; at < 5; at++) queue.post(mail('a'))
    // The first is on its way and waits no more.
    assert.deepEqual(dropped, ['queue_full', 'queue_full'])
    await queue.settled()
  })

  it('disposing cuts the pause short: what waits gets its last try at once', async () => {
    const { queue, sent, clock } = setUp(1)
    queue.post(mail('a'))
    queue.post(mail('b'))
    await clock.advance(0)
    assert.equal(clock.pendingTimers, 1)
    await queue[Symbol.asyncDispose]()
    assert.deepEqual(sent, ['a', 'b'])
    assert.equal(clock.pendingTimers, 0)
  })
})
