import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { PlatformError } from '@plinth/base'
import { withScope } from '@plinth/concurrency'
import type { CallContext } from '../call.ts'
import { faultLike, testFault } from './test-fault.ts'
import { type TransportProbe, testAnswerBytesMax } from './transport-probe.ts'

/** A handler that never answers, and the promise of its context. */
function hanging() {
  const started = Promise.withResolvers<CallContext>()
  const handler = (_request: unknown, context: CallContext) => {
    started.resolve(context)
    return new Promise<never>(() => {})
  }
  return { started: started.promise, handler }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason)
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)))
}

/** Over a wire the handler may learn of the caller's leaving before its own clock tells it why. */
async function assertEnded(context: CallContext): Promise<void> {
  const reason = (await aborted(context.signal)) as PlatformError
  assert.ok(reason.kind === 'timeout' || reason.kind === 'cancelled', reason.kind)
}

/** Deadlines, cancellation, sizes and a server that goes away. */
export function testLimits(probe: TransportProbe): void {
  it('timeoutMs ends a call on both sides, even when the handler does not listen', async () => {
    const { started, handler } = hanging()
    await using open = await probe.open({ echo: handler })
    const call = open.client.echo({}, { timeoutMs: 60 })
    await assert.rejects(call, faultLike('timeout', 'concurrency.deadline'))
    await assertEnded(await started)
  })

  it('timeoutMs 0 or a deadline that has passed refuses the call', async () => {
    let calls = 0
    await using open = await probe.open({
      echo: (request) => {
        calls++
        return request
      },
    })
    await assert.rejects(async () => open.client.echo({}, { timeoutMs: 0 }), { kind: 'timeout' })
    assert.equal(calls, 0)
    await assert.rejects(async () => open.client.echo({}, { timeoutMs: -1 }), RangeError)
    await assert.rejects(async () => open.client.echo({}, { timeoutMs: Number.NaN }), RangeError)
  })

  it('the deadline of the surrounding scope holds, and the handler sees it', async () => {
    let remainingMs = 0
    await using open = await probe.open({
      echo: (request, context) => {
        remainingMs = context.deadlineMs - performance.now()
        return request
      },
    })
    await withScope({ timeoutMs: 5000 }, () => open.client.echo({}, { timeoutMs: 60_000 }))
    assert.ok(remainingMs > 0 && remainingMs <= 5001, `${remainingMs}`)
    await withScope({ timeoutMs: 60_000 }, () => open.client.echo({}, { timeoutMs: 5000 }))
    assert.ok(remainingMs > 0 && remainingMs <= 5001, `${remainingMs}`)
  })

  it('the scope of a handler is bounded by its call', async () => {
    const { started, handler } = hanging()
    await using open = await probe.open({
      echo: async (_request, _context) => withScope({}, (scope) => handler({}, scope as never)),
    })
    const call = open.client.echo({}, { timeoutMs: 60 })
    await assert.rejects(call, { kind: 'timeout' })
    await assertEnded(await started)
  })

  it('a signal ends a call on both sides', async () => {
    const { started, handler } = hanging()
    await using open = await probe.open({ echo: handler })
    const controller = new AbortController()
    const call = open.client.echo({}, { signal: controller.signal })
    const context = await started
    controller.abort()
    await assert.rejects(call, faultLike('cancelled', 'base.cancelled'))
    assert.equal(((await aborted(context.signal)) as PlatformError).kind, 'cancelled')
    await assert.rejects(async () => open.client.echo({}, { signal: controller.signal }), { kind: 'cancelled' })
  })

  it('a fault as the reason of a signal is what the caller sees', async () => {
    const { started, handler } = hanging()
    await using open = await probe.open({ echo: handler })
    const controller = new AbortController()
    const call = open.client.echo({}, { signal: controller.signal })
    await started
    controller.abort(testFault('exhausted', 'test.enough'))
    await assert.rejects(call, faultLike('exhausted', 'test.enough'))
  })

  it('requests over the limit of the method are refused with rpc.request_too_large', async () => {
    await using open = await probe.open()
    const options = { headers: { authorization: 'Bearer operator' }, idempotencyKey: 'k' }
    await open.client.operate({ text: 'x'.repeat(2000) }, options)
    await assert.rejects(
      async () => open.client.operate({ text: 'x'.repeat(2100) }, options),
      faultLike('exhausted', 'rpc.request_too_large', { retryable: false }),
    )
    await assert.rejects(
      async () => open.client.echo({ blob: new Uint8Array(5 * 1024 * 1024) }),
      faultLike('exhausted', 'rpc.request_too_large'),
    )
  })

  it('answers over the limit of the client are refused with rpc.answer_too_large', async () => {
    await using open = await probe.open({ echo: (request) => ({ blob: new Uint8Array(request.number) }) })
    await open.client.echo({ number: testAnswerBytesMax - 100 })
    await assert.rejects(
      async () => open.client.echo({ number: testAnswerBytesMax + 1 }),
      faultLike('exhausted', 'rpc.answer_too_large', { retryable: false }),
    )
  })

  it('a server that stops ends the calls under way with kind unavailable', async () => {
    const { started, handler } = hanging()
    await using open = await probe.open({ echo: handler })
    const call = open.client.echo({})
    const outcome = assert.rejects(call, { kind: 'unavailable' })
    const context = await started
    await open.stop()
    await outcome
    await aborted(context.signal)
  })
}
