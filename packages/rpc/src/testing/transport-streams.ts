import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { CallHeaders } from '../call.ts'
import { faultLike, testFault } from './test-fault.ts'
import type { TransportProbe } from './transport-probe.ts'

async function numbersOf(messages: AsyncIterable<{ number: number }>): Promise<number[]> {
  const numbers: number[] = []
  for await (const message of messages) numbers.push(message.number)
  return numbers
}

async function* probes(...numbers: number[]) {
  for (const number of numbers) yield { number }
}

/** All streaming kinds, their pace and their early ends. */
export function testStreams(probe: TransportProbe): void {
  it('server streams arrive whole and in order, with their headers', async () => {
    await using open = await probe.open({
      async *count(request, context) {
        context.responseHeaders.set('x-total', String(request.number))
        for (let number = 0; number < request.number; number++) yield { number }
      },
    })
    let headers: CallHeaders | undefined
    const numbers = await numbersOf(open.client.count({ number: 500 }, { onHeaders: (got) => (headers = got) }))
    assert.deepEqual(numbers, [...Array(500).keys()])
    assert.equal(headers?.get('x-total'), '500')
    assert.deepEqual(await numbersOf(open.client.count({ number: 0 })), [])
  })

  it('client streams are read to the end, or as far as the handler wants', async () => {
    await using open = await probe.open()
    assert.equal((await open.client.sum(probes(1, 2, 3))).number, 6)
    assert.equal((await open.client.sum(probes())).number, 0)
    await using early = await probe.open({
      async sum(requests) {
        for await (const request of requests) return { number: request.number }
        return {}
      },
    })
    async function* endless() {
      for (let number = 7; ; number++) yield { number }
    }
    assert.equal((await early.client.sum(endless())).number, 7)
  })

  it('both sides of a conversation go on at the same time', async () => {
    await using open = await probe.open()
    const answered: number[] = []
    let next = Promise.withResolvers<void>()
    async function* questions() {
      for (let number = 0; number < 5; number++) {
        yield { number }
        await next.promise
        next = Promise.withResolvers<void>()
      }
    }
    for await (const answer of open.client.chat(questions())) {
      answered.push(answer.number)
      next.resolve()
    }
    assert.deepEqual(answered, [0, 1, 2, 3, 4])
  })

  it('a slow reader slows the server down', async () => {
    let produced = 0
    await using open = await probe.open({
      async *count() {
        for (; produced < 100_000; produced++) yield { text: 'x'.repeat(10_000) }
      },
    })
    const reader = open.client.count({})[Symbol.asyncIterator]()
    await reader.next()
    for (let before = -1; before !== produced; ) {
      before = produced
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(produced < 2000, `${produced} messages were made for a reader of one`)
    await reader.return?.()
  })

  it('a slow handler slows the sender down', async () => {
    let sent = 0
    const first = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    await using open = await probe.open({
      async sum(requests) {
        for await (const _ of requests) {
          first.resolve()
          await go.promise
          return {}
        }
        return {}
      },
    })
    async function* many() {
      for (; sent < 100_000; sent++) yield { text: 'x'.repeat(10_000) }
    }
    const call = open.client.sum(many())
    await first.promise
    for (let before = -1; before !== sent; ) {
      before = sent
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(sent < 2000, `${sent} messages were sent to a handler of one`)
    go.resolve()
    await call
  })

  it('a reader that stops early ends the handler: its signal aborts and its finally runs', async () => {
    const cleaned = Promise.withResolvers<boolean>()
    await using open = await probe.open({
      async *count(_request, context) {
        try {
          for (let number = 0; ; number++) {
            yield { number }
            await new Promise((resolve) => setImmediate(resolve))
          }
        } finally {
          cleaned.resolve(context.signal.aborted)
        }
      },
    })
    for await (const { number } of open.client.count({})) if (number === 3) break
    assert.equal(await cleaned.promise, true)
  })

  it('what was streamed before a fault arrives before it', async () => {
    await using open = await probe.open({
      async *count() {
        yield { number: 1 }
        yield { number: 2 }
        throw testFault('exhausted', 'test.out', { retryAfterMs: 10 })
      },
    })
    const seen: number[] = []
    await assert.rejects(
      async () => {
        for await (const { number } of open.client.count({})) seen.push(number)
      },
      faultLike('exhausted', 'test.out', { retryAfterMs: 10 }),
    )
    assert.deepEqual(seen, [1, 2])
  })

  it('a message that breaks the contract ends its stream, whatever the handler does', async () => {
    await using open = await probe.open({
      async sum(requests) {
        try {
          for await (const _ of requests);
        } catch {
          // A handler that swallows it must not turn a broken request into an answer.
        }
        return { number: 1 }
      },
    })
    await assert.rejects(async () => open.client.sum(probes(1, -1, 2)), faultLike('invalid', 'rpc.invalid_request'))
    await assert.rejects(
      async () => numbersOf(open.client.chat(probes(1, -1))),
      faultLike('invalid', 'rpc.invalid_request'),
    )
    await assert.rejects(
      async () => numbersOf(open.client.count({ number: -1 })),
      faultLike('invalid', 'rpc.invalid_request'),
    )
  })

  it('a source of requests that throws fails the call', async () => {
    await using open = await probe.open()
    async function* broken() {
      yield { number: 1 }
      throw testFault('unavailable', 'test.source')
    }
    await assert.rejects(async () => open.client.sum(broken()), faultLike('unavailable', 'test.source'))
    await assert.rejects(async () => numbersOf(open.client.chat(broken())), faultLike('unavailable', 'test.source'))
  })

  it("what is wrong with a request on the caller's side stays there, as it is", async () => {
    await using open = await probe.open({
      async sum(requests) {
        try {
          for await (const _ of requests);
        } catch {
          // Swallowing it must not turn a broken source into an answer.
        }
        return {}
      },
    })
    const bug = new Error('a bug of the caller')
    async function* broken() {
      yield {}
      throw bug
    }
    const outcome = await open.client.sum(broken()).then(undefined, (error: unknown) => error)
    assert.equal(outcome, bug)
    await assert.rejects(async () => open.client.sum(probes(1.5)), TypeError)
    await assert.rejects(async () => numbersOf(open.client.count({ number: 1.5 })), TypeError)
  })

  it('deadlines and signals end streams, also while both sides are silent', async () => {
    await using open = await probe.open({
      async *count(_request, context) {
        yield { number: 1 }
        await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()))
      },
      async *chat(requests) {
        for await (const request of requests) yield request
      },
    })
    await assert.rejects(async () => numbersOf(open.client.count({}, { timeoutMs: 60 })), { kind: 'timeout' })
    const controller = new AbortController()
    await assert.rejects(
      async () => {
        for await (const _ of open.client.count({}, { signal: controller.signal })) controller.abort()
      },
      { kind: 'cancelled' },
    )
    async function* silent() {
      yield { number: 1 }
      await new Promise(() => {})
    }
    await assert.rejects(async () => numbersOf(open.client.chat(silent(), { timeoutMs: 60 })), { kind: 'timeout' })
  })

  it('access rules and missing handlers of streams are refused like those of unary calls', async () => {
    await using open = await probe.open({ count: () => undefined as never })
    await assert.rejects(async () => numbersOf(open.client.count({})), faultLike('internal', 'base.internal'))
  })

  it('a server that stops ends open streams with kind unavailable', async () => {
    await using open = await probe.open({
      async *count() {
        yield { number: 1 }
        await new Promise(() => {})
      },
    })
    const reader = open.client.count({})[Symbol.asyncIterator]()
    assert.equal((await reader.next()).value.number, 1)
    const outcome = assert.rejects(reader.next(), { kind: 'unavailable' })
    await open.stop()
    await outcome
  })
}
