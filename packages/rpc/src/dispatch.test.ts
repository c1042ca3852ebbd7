import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { describe, it } from 'node:test'
import type { DescService } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { Health } from '../contract/gen/grpc/health/v1/health_pb.ts'
import { ProbeService } from '../contract/gen/plinth/rpc/testing/v1/transport_pb.ts'
import { bindService } from './bind-service.ts'
import type { CallContext } from './call.ts'
import { createCallContext } from './call-scope.ts'
import { createClient } from './client.ts'
import { defineContract } from './contract.ts'
import { createDispatcher, type Interceptor } from './dispatch.ts'
import { createInProcessTransport } from './in-process-transport.ts'
import { createDeadlineInterceptor } from './interceptors/deadline.ts'
import { createLimitsInterceptor } from './interceptors/limits.ts'
import { createProbeDispatcher, type ProbeImplementation } from './testing/probe-service.ts'

function clientOf(handlers: Partial<ProbeImplementation>, interceptors: readonly Interceptor[]) {
  const idle = Object.fromEntries(ProbeService.methods.map((method) => [method.localName, () => ({})]))
  const binding = bindService(ProbeService, { ...idle, ...handlers } as ProbeImplementation)
  return createClient(ProbeService, createInProcessTransport(createDispatcher([binding], interceptors)))
}

describe('bindService()', () => {
  it('bindService() refuses methods without access rule or implementation, naming each', () => {
    const bind = () => bindService(Health as DescService, { check: () => ({}) } as never)
    assert.throws(bind, /grpc\.health\.v1\.Health\/Check has no access rule in its contract/)
    assert.throws(bind, /grpc\.health\.v1\.Health\/Watch has no implementation/)
    assert.throws(bind, /grpc\.health\.v1\.Health\/Watch has no access rule/)
  })

  it('bindService() keeps what a handler calls `this`', async () => {
    class Echo {
      readonly name = 'me'
      echo() {
        return { text: this.name }
      }
    }
    const idle = Object.fromEntries(ProbeService.methods.map((method) => [method.localName, () => ({})]))
    const binding = bindService(
      ProbeService,
      Object.assign(new Echo(), { ...idle, echo: Echo.prototype.echo }) as never,
    )
    const client = createClient(ProbeService, createInProcessTransport(createDispatcher([binding])))
    assert.equal((await client.echo({})).text, 'me')
  })
})

describe('defineContract()', () => {
  it('defineContract() takes names of two parts in lower case', () => {
    assert.deepEqual(defineContract('a.b', ProbeService), { name: 'a.b', service: ProbeService })
    for (const name of ['', 'a', 'A.b', 'a.', '.b', 'a b.c'])
      assert.throws(() => defineContract(name, ProbeService), TypeError)
  })
})

describe('createDispatcher()', () => {
  it('createDispatcher() refuses to serve a service twice', () => {
    const idle = Object.fromEntries(ProbeService.methods.map((method) => [method.localName, () => ({})]))
    const binding = bindService(ProbeService, idle as never)
    assert.throws(
      () => createDispatcher([binding, binding]),
      /Cannot serve plinth\.rpc\.testing\.v1\.ProbeService twice/,
    )
  })

  it('createDispatcher() asks every interceptor once per method and puts the first outermost', async () => {
    const asked: string[] = []
    const order: string[] = []
    const named = (name: string): Interceptor => {
      return (method) => {
        asked.push(`${name} ${method.name}`)
        return {
          unary: (next) => (request, context) => {
            order.push(name)
            return next(request, context)
          },
        }
      }
    }
    const client = clientOf({}, [named('outer'), named('inner'), () => undefined])
    assert.equal(asked.length, 2 * ProbeService.methods.length)
    await client.echo({})
    await client.echo({})
    assert.deepEqual(order, ['outer', 'inner', 'outer', 'inner'])
    assert.equal(asked.length, 2 * ProbeService.methods.length)
  })

  it('createDispatcher() refuses a call of the wrong kind with a TypeError', () => {
    const dispatcher = createProbeDispatcher()
    const unary = dispatcher.find(ProbeService.method.echo)
    const stream = dispatcher.find(ProbeService.method.count)
    const context = createCallContext({ method: ProbeService.method.echo, transport: 'rest' })
    assert.throws(() => unary?.stream([] as never, context), TypeError)
    assert.throws(() => stream?.unary({} as never, context), TypeError)
    assert.equal(dispatcher.find(Health.method.check), undefined)
  })
})

describe('createCallContext()', () => {
  it('createCallContext() makes signal and headers only for whoever looks', () => {
    let made = 0
    const context = createCallContext({
      method: ProbeService.method.echo,
      transport: 'grpc',
      requestHeaders: () => {
        made++
        return new Map([['a', 'b']])
      },
    })
    assert.equal(made, 0)
    assert.equal(context.requestHeaders.get('a'), 'b')
    assert.equal(context.requestHeaders, context.requestHeaders)
    assert.equal(made, 1)
    const reasons: unknown[] = []
    const first = context.onCancel((reason) => reasons.push(['first', reason]))
    context.onCancel((reason) => reasons.push(['second', reason]))
    first()
    context.onCancel((reason) => reasons.push(['third', reason]))
    context.cancel('why')
    context.cancel('again')
    context.onCancel((reason) => reasons.push(['late', reason]))
    assert.deepEqual(reasons.sort(), [
      ['late', 'why'],
      ['second', 'why'],
      ['third', 'why'],
    ])
    assert.equal(context.signal.reason, 'why')
  })
})

describe('createDeadlineInterceptor()', () => {
  it('createDeadlineInterceptor() gives unary calls the deadline of their policy or the server, streams none', async () => {
    const clock = createFakeClock()
    const deadlines: number[] = []
    const note = (_request: unknown, context: CallContext) => {
      deadlines.push(context.deadlineMs)
      return {}
    }
    const handlers = {
      echo: note,
      act: note,
      async *count(_request: unknown, context: CallContext) {
        deadlines.push(context.deadlineMs)
        yield {}
      },
    }
    const client = clientOf(handlers, [createDeadlineInterceptor({ clock, defaultMs: 5000 })])
    await client.echo({})
    await client.act({})
    for await (const _ of client.count({}));
    assert.deepEqual(deadlines, [5000, 2000, Infinity])
    assert.throws(() => createDeadlineInterceptor({ defaultMs: 0 }), RangeError)
  })

  it('createDeadlineInterceptor() answers at the deadline, on the clock it was given', async () => {
    const clock = createFakeClock()
    const dispatcher = createProbeDispatcher({ act: () => new Promise<never>(() => {}) }, { clock })
    const client = createClient(ProbeService, createInProcessTransport(dispatcher, { clock }))
    const outcome = assert.rejects(client.act({}), { kind: 'timeout', code: 'concurrency.deadline' })
    await clock.advance(1999)
    await clock.advance(1)
    await outcome
  })
})

describe('createLimitsInterceptor()', () => {
  it('createLimitsInterceptor() lets calls wait in a bounded queue, first come, first served', async () => {
    const go: (() => void)[] = []
    const order: number[] = []
    const handlers = {
      async echo(request: { number: number }) {
        order.push(request.number)
        await new Promise<void>((resolve) => go.push(resolve))
        return {}
      },
    }
    const limits = createLimitsInterceptor({ callsMax: 2, queueMax: 2, retryAfterMs: 7 })
    const client = clientOf(handlers, [createDeadlineInterceptor(), limits])
    const leaving = new AbortController()
    const calls = [client.echo({ number: 1 }), client.echo({ number: 2 })]
    const left = assert.rejects(client.echo({ number: 3 }, { signal: leaving.signal }), { kind: 'cancelled' })
    calls.push(client.echo({ number: 4 }))
    await assert.rejects(client.echo({ number: 5 }), { kind: 'exhausted', code: 'rpc.overloaded', retryAfterMs: 7 })
    leaving.abort()
    await left
    while (order.length < 3) {
      for (const one of go.splice(0)) one()
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const one of go.splice(0)) one()
    await Promise.all(calls)
    assert.deepEqual(order, [1, 2, 4])
    const free = client.echo({ number: 6 })
    await new Promise((resolve) => setImmediate(resolve))
    for (const one of go.splice(0)) one()
    await free
  })

  it('createLimitsInterceptor() counts a handler until it has ended, not until its caller was answered', async () => {
    const clock = createFakeClock()
    const end = Promise.withResolvers<object>()
    const limits = createLimitsInterceptor({ callsMax: 1, queueMax: 0 })
    const client = clientOf({ act: () => end.promise }, [createDeadlineInterceptor({ clock }), limits])
    const late = assert.rejects(client.act({}), { kind: 'timeout' })
    await clock.advance(2000)
    await late
    await assert.rejects(client.echo({}), { code: 'rpc.overloaded' })
    end.resolve({})
    await new Promise((resolve) => setImmediate(resolve))
    await client.echo({})
  })

  it('createLimitsInterceptor() bounds open streams and one method apart from the others', async () => {
    const handlers = {
      async *count() {
        yield {}
        yield {}
      },
      act: () => new Promise<never>(() => {}),
    }
    const client = clientOf(handlers, [createLimitsInterceptor({ streamsMax: 1, callsPerMethodMax: 1, queueMax: 0 })])
    const open = client.count({})[Symbol.asyncIterator]()
    await open.next()
    await assert.rejects(client.count({})[Symbol.asyncIterator]().next(), { code: 'rpc.overloaded' })
    await open.return?.()
    await client.count({})[Symbol.asyncIterator]().next()
    void client.act({})
    await assert.rejects(client.act({}), { code: 'rpc.overloaded' })
    await client.echo({})
  })

  it('createLimitsInterceptor() refuses limits that are none, all at once', () => {
    assert.throws(
      () => createLimitsInterceptor({ callsMax: 0, queueMax: -1, streamsMax: 1.5 }),
      /callsMax is 0.*queueMax is -1|queueMax is -1.*/,
    )
  })
})

describe('recoverInterceptor', () => {
  it('recoverInterceptor announces what nobody foresaw, and only that', async () => {
    const heard: unknown[] = []
    const listener = (message: unknown) => heard.push(message)
    channel('plinth:rpc:unexpected_error').subscribe(listener)
    const bug = new Error('bug')
    let thrown: unknown = bug
    const handlers = {
      echo: () => {
        throw thrown
      },
    }
    const client = createClient(ProbeService, createInProcessTransport(createProbeDispatcher(handlers)))
    await assert.rejects(client.echo({}), { code: 'base.internal' })
    thrown = new PlatformError('Known', { kind: 'conflict', code: 'test.known' })
    await assert.rejects(client.echo({}), { code: 'test.known' })
    channel('plinth:rpc:unexpected_error').unsubscribe(listener)
    assert.deepEqual(heard, [{ method: 'plinth.rpc.testing.v1.ProbeService/Echo', error: bug }])
  })
})
