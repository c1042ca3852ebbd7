import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type ErrorKind, errorKinds, PlatformError } from '@plinth/base'
import { testFault } from './test-fault.ts'
import type { TransportProbe } from './transport-probe.ts'

async function faultOf(call: Promise<unknown>): Promise<PlatformError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(outcome instanceof PlatformError, `expected a fault, received ${String(outcome)}`)
  return outcome
}

/** Faults arrive as they were thrown, without what is nobody's business. */
export function testFaults(probe: TransportProbe): void {
  it('faults of every kind keep kind, code, message, retry hint and details, and lose their cause', async () => {
    let thrown: PlatformError
    await using open = await probe.open({
      echo: () => {
        throw thrown
      },
    })
    for (const kind of Object.keys(errorKinds) as ErrorKind[]) {
      thrown = new PlatformError(`It is ${kind}: 100 % sure, ü😀`, {
        kind,
        code: `test.${kind}`,
        retryable: !errorKinds[kind].retryable,
        retryAfterMs: 1234,
        details: { limit: 5, ids: ['a'], nested: { b: null }, violations: [{ field: 'a', rule: 'b', message: 'c' }] },
        cause: new Error('secret'),
      })
      const fault = await faultOf(open.client.echo({}))
      assert.notEqual(fault, thrown)
      assert.equal(fault.cause, undefined)
      const facts = ({ kind, code, message, retryable, retryAfterMs, details }: PlatformError) => {
        return { kind, code, message, retryable, retryAfterMs, details }
      }
      assert.deepEqual(facts(fault), facts(thrown))
    }
  })

  it('details too large for a header are cut, and the cut is told', async () => {
    const violations = Array.from({ length: 1000 }, (_, i) => ({ field: `items[${i}].name`, rule: 'r', message: 'm' }))
    let details: object = { violations, more: 'x' }
    await using open = await probe.open({
      echo: () => {
        throw testFault('invalid', 'test.big', { message: 'm'.repeat(100_000), details: details as never })
      },
    })
    const fault = await faultOf(open.client.echo({}))
    assert.equal(fault.code, 'test.big')
    const kept = fault.details.violations?.length ?? 0
    assert.ok(kept > 10 && kept < 1000)
    assert.equal(fault.details.violations_omitted, 1000 - kept)
    assert.equal(fault.details.more, 'x')
    details = { all: 'x'.repeat(100_000) }
    assert.deepEqual((await faultOf(open.client.echo({}))).details, { details_omitted: true })
    details = { big: 1n }
    assert.deepEqual((await faultOf(open.client.echo({}))).details, { details_omitted: true })
  })

  it('junk that a handler throws becomes base.internal and tells nothing', async () => {
    let junk: unknown
    await using open = await probe.open({
      echo: () => {
        throw junk
      },
      act: () => Promise.reject(junk),
    })
    for (junk of [undefined, null, 'secret', 5, {}, new Error('secret'), { kind: 'invalid', code: 'x' }, Symbol('s')]) {
      for (const call of [open.client.echo({}), open.client.act({})]) {
        const fault = await faultOf(call)
        assert.deepEqual([fault.kind, fault.code], ['internal', 'base.internal'])
        assert.ok(!fault.message.includes('secret'))
      }
    }
  })

  it('an answer that does not fit its type is an internal fault, not a crash', async () => {
    await using open = await probe.open({ echo: () => ({ number: 1.5 }), act: () => undefined as never })
    assert.equal((await faultOf(open.client.echo({}))).code, 'base.internal')
    assert.equal((await faultOf(open.client.act({}))).code, 'base.internal')
  })

  it('response headers that cannot be sent are an internal fault', async () => {
    await using open = await probe.open({
      echo: (request, context) => {
        context.responseHeaders.set('x', 'a\r\nb')
        return request
      },
    })
    const fault = await faultOf(open.client.echo({}, { onHeaders: () => {} }))
    assert.equal(fault.code, 'rpc.header_invalid')
  })
}
