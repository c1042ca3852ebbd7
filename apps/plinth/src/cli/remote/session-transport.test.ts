import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSeededRandom, PlatformError } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { CatalogService } from '@plinth/catalog-service/contract'
import type { CallOptions, Transport } from '@plinth/rpc'
import type { Session } from './session.ts'
import { createSessionTransport } from './session-transport.ts'

const method = CatalogService.method.listProducts

function fault(kind: 'unavailable' | 'unauthenticated' | 'invalid', code = `test.${kind}`) {
  return new PlatformError(kind, { kind, code })
}

/** A transport that answers each call by the next step, and a session whose tokens count up. */
function build(steps: readonly (PlatformError | string)[], { loggedIn = true } = {}) {
  const calls: CallOptions[] = []
  let tokens = 0
  const inner: Transport = {
    async unary(_, _request, options) {
      const step = steps[calls.length]
      calls.push(options)
      if (step instanceof PlatformError) throw step
      return step
    },
    stream: () => assert.fail('no stream'),
    async [Symbol.asyncDispose]() {},
  }
  const session: Session = {
    key: { server: 'a:1', name: 'default' },
    login: async () => undefined,
    accessToken: async () => (loggedIn ? `t${tokens}` : undefined),
    renew: async () => `t${++tokens}`,
    keep: async () => {},
    forget: async () => {},
  }
  const clock = createFakeClock()
  const transport = createSessionTransport(inner, {
    session,
    clock,
    random: createSeededRandom(1),
    signal: new AbortController().signal,
    timeoutMs: 1000,
    idempotencyKey: 'once',
  })
  return { transport, calls, clock }
}

/** Lets pauses pass until the call is over. */
async function finish<T>(clock: ReturnType<typeof createFakeClock>, call: Promise<T>): Promise<T> {
  let over = false
  void call.then(
    () => (over = true),
    () => (over = true),
  )
  while (!over) await clock.advance(100)
  return await call
}

describe('createSessionTransport()', () => {
  it('repeats a call that found nobody under the same key, at most three times', async () => {
    const good = build([fault('unavailable'), fault('unavailable'), 'done'])
    assert.equal(await finish(good.clock, good.transport.unary(method, {}, {})), 'done')
    assert.deepEqual(
      good.calls.map(({ idempotencyKey }) => idempotencyKey),
      ['once', 'once', 'once'],
    )
    const bad = build(Array.from({ length: 9 }, () => fault('unavailable')))
    await assert.rejects(finish(bad.clock, bad.transport.unary(method, {}, {})), { code: 'test.unavailable' })
    assert.equal(bad.calls.length, 4)
  })

  it('repeats nothing that was refused', async () => {
    const { transport, calls } = build([fault('invalid')])
    await assert.rejects(transport.unary(method, {}, {}), { code: 'test.invalid' })
    assert.equal(calls.length, 1)
  })

  it('exchanges a refused token once', async () => {
    const good = build([fault('unauthenticated'), 'done'])
    assert.equal(await good.transport.unary(method, {}, {}), 'done')
    assert.deepEqual(
      good.calls.map(({ headers }) => headers?.authorization),
      ['Bearer t0', 'Bearer t1'],
    )
    const bad = build([fault('unauthenticated'), fault('unauthenticated')])
    await assert.rejects(bad.transport.unary(method, {}, {}), { code: 'test.unauthenticated' })
    assert.equal(bad.calls.length, 2)
  })

  it('tells who is not logged in, and lets the refusals of identity through', async () => {
    const nobody = build([fault('unauthenticated')], { loggedIn: false })
    await assert.rejects(nobody.transport.unary(method, {}, {}), { code: 'plinth.not_logged_in' })
    const wrong = build([fault('unauthenticated', 'identity.credentials_wrong')])
    await assert.rejects(wrong.transport.unary(method, {}, {}), { code: 'identity.credentials_wrong' })
    assert.equal(wrong.calls.length, 1)
  })
})
