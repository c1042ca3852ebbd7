import assert from 'node:assert/strict'
import { it } from 'node:test'
import { create } from '@bufbuild/protobuf'
import type { PlatformError } from '@plinth/base'
import { ProbeSchema } from '../../contract/gen/plinth/rpc/testing/v1/transport_pb.ts'
import type { CallHeaders } from '../call.ts'
import type { Probe } from './probe-service.ts'
import { faultLike } from './test-fault.ts'
import type { TransportProbe } from './transport-probe.ts'

/** A message with something in every field. */
export function fullProbe() {
  return create(ProbeSchema, {
    text: 'grüße 😀',
    number: 7,
    big: -(2n ** 63n),
    blob: new Uint8Array([0, 255, 1]),
    items: [{ name: 'a', quantity: 1 }, { name: 'b' }],
    byName: { x: { name: 'x' }, __proto__x: { quantity: 2 } },
    note: '',
    choice: { case: 'item', value: { name: 'chosen' } },
    at: { seconds: 5n, nanos: 6 },
    wrapped: 'wrapped',
    facts: { a: [1, 'b', null, { c: true }] },
    ratio: 0.5,
    mood: 1,
    inner: { text: 'inner', inner: { number: 2 } },
    counts: [0n, 2n ** 64n - 1n],
    blobs: { 5: new Uint8Array([9]), [-1]: new Uint8Array() },
  })
}

/** What arrives is what was sent, as a copy; headers travel; tokens and keys are checked. */
export function testMessages(probe: TransportProbe): void {
  it('unary() carries every kind of field both ways', async () => {
    let seen: Probe | undefined
    await using open = await probe.open({
      echo: (request) => {
        seen = request
        return request
      },
    })
    const sent = fullProbe()
    const answer = await open.client.echo(sent)
    assert.deepEqual(seen, sent)
    assert.deepEqual(answer, sent)
    assert.deepEqual(await open.client.echo({}), create(ProbeSchema))
  })

  it('unary() takes literals from both sides', async () => {
    await using open = await probe.open({ echo: (request) => ({ items: [{ name: request.text }] }) })
    assert.deepEqual(await open.client.echo({ text: 'a' }), create(ProbeSchema, { items: [{ name: 'a' }] }))
  })

  it('unary() copies: nothing that one side changes later is seen by the other', async () => {
    const kept = fullProbe()
    const seen: Probe[] = []
    await using open = await probe.open({
      echo: (request) => {
        seen.push(request)
        return kept
      },
    })
    const sent = fullProbe()
    const answer = await open.client.echo(sent)
    answer.text = 'changed'
    answer.blob[0] = 99
    answer.items.pop()
    ;(answer.byName.x as { name: string }).name = 'changed'
    ;(answer.facts as { a: unknown[] }).a.push(1)
    ;(answer.inner as Probe).text = 'changed'
    assert.deepEqual(kept, fullProbe())
    const received = seen[0] as Probe
    received.items.length = 0
    received.blob[0] = 99
    ;(received.choice.value as { name: string }).name = 'changed'
    assert.deepEqual(sent, fullProbe())
  })

  it('unary() refuses values that their types forbid with a TypeError', async () => {
    await using open = await probe.open()
    for (const wrong of [
      { number: 1.5 },
      { number: 2 ** 31 },
      { text: 5 },
      { big: 5 },
      { items: {} },
      { ratio: 1e39 },
    ]) {
      await assert.rejects(async () => open.client.echo(wrong as never), TypeError)
    }
  })

  it('headers travel both ways, in lower case', async () => {
    let received: CallHeaders | undefined
    await using open = await probe.open({
      echo: (request, context) => {
        received = context.requestHeaders
        context.responseHeaders.set('x-answer', 'yes')
        return request
      },
    })
    let answered: CallHeaders | undefined
    await open.client.echo({}, { headers: { 'X-Ask': 'a b' }, onHeaders: (headers) => (answered = headers) })
    assert.equal(received?.get('x-ask'), 'a b')
    assert.deepEqual(answered, new Map([['x-answer', 'yes']]))
    await open.client.echo({}, { idempotencyKey: 'key', onHeaders: (headers) => (answered = headers) })
    assert.equal(received?.get('idempotency-key'), 'key')
  })

  it('headers that no transport can carry are refused with rpc.header_invalid', async () => {
    await using open = await probe.open()
    const bad = [{ 'a b': '' }, { 'grpc-timeout': '1S' }, { 'x-bin': 'a' }, { x: 'ü' }, { x: 'a\r\nb: c' }, { te: 'x' }]
    const tooMany = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x-${i}`, '']))
    for (const headers of [...bad, tooMany, { x: 'a'.repeat(10_000) }]) {
      await assert.rejects(async () => open.client.echo({}, { headers }), faultLike('invalid', 'rpc.header_invalid'))
    }
  })

  it('access rules decide who may call', async () => {
    await using open = await probe.open({ echo: (_request, context) => ({ text: context.principal?.id ?? 'nobody' }) })
    const as = (role: string) => ({ headers: { authorization: `Bearer ${role}` }, idempotencyKey: 'k' })
    const { client } = open
    await assert.rejects(async () => client.signedIn({}), faultLike('unauthenticated', 'rpc.unauthenticated'))
    await assert.rejects(async () => client.signedIn({}, as('bad')), faultLike('unauthenticated', 'test.token_bad'))
    await assert.rejects(async () => client.operate({}, as('customer')), faultLike('forbidden', 'rpc.forbidden'))
    assert.equal((await client.signedIn({}, as('customer'))).text, 'the customer')
    assert.equal((await client.operate({}, as('operator'))).text, 'k')
    assert.equal((await client.echo({})).text, 'nobody')
    assert.equal((await client.echo({}, as('customer'))).text, 'the customer')
    assert.equal((await client.echo({}, as('bad'))).text, 'nobody')
  })

  it('idempotency keys are demanded and checked where the policy says so', async () => {
    await using open = await probe.open({ echo: (_request, context) => ({ text: context.idempotencyKey ?? 'none' }) })
    const headers = { authorization: 'Bearer operator' }
    const { client } = open
    await assert.rejects(
      async () => client.operate({}, { headers }),
      faultLike('invalid', 'rpc.idempotency_key_missing'),
    )
    for (const idempotencyKey of ['', 'a b', 'a'.repeat(256)]) {
      await assert.rejects(
        async () => client.operate({}, { headers, idempotencyKey }),
        faultLike('invalid', 'rpc.idempotency_key_invalid'),
      )
    }
    assert.equal((await client.operate({}, { headers, idempotencyKey: 'a'.repeat(255) })).text, 'a'.repeat(255))
    assert.equal((await client.echo({})).text, 'none')
    assert.equal((await client.signedIn({}, { headers, idempotencyKey: 'x' })).text, 'the operator')
  })

  it('validation names every broken field, and the handler is not called', async () => {
    let calls = 0
    await using open = await probe.open({
      echo: (request) => {
        calls++
        return request
      },
    })
    const broken = { number: -1, items: [{}, { name: 'x'.repeat(51), quantity: 1001 }], inner: { number: -2 } }
    const error = await open.client.echo(broken).then(undefined, (fault: PlatformError) => fault)
    assert.equal((error as PlatformError).code, 'rpc.invalid_request')
    assert.equal((error as PlatformError).kind, 'invalid')
    const violations = (error as PlatformError).details.violations ?? []
    assert.deepEqual(
      violations.map(({ field, rule }) => `${field} ${rule}`),
      ['number int32.gte', 'items[1].name string.max_len', 'items[1].quantity int32.gte_lte', 'inner.number int32.gte'],
    )
    await assert.rejects(
      async () => open.client.echo({ inner: { note: 'a\udc00' } }),
      (fault: PlatformError) => {
        assert.deepEqual([fault.code, fault.details.violations?.[0]?.field], ['rpc.invalid_request', 'inner.note'])
        return true
      },
    )
    assert.equal(calls, 0)
  })
}
