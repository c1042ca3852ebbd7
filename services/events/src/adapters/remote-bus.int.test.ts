import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { type Bus, openLogBus, openMemoryBus } from '@plinth/messaging'
import { type BusFixture, describeBus, newMessage } from '@plinth/messaging/testing'
import {
  bindService,
  createClient,
  createDispatcher,
  createGrpcServer,
  createGrpcTransport,
  createInProcessTransport,
  type Dispatcher,
  standardInterceptors,
  type Transport,
} from '@plinth/rpc'
import { EventsService } from '../../contract/index.ts'
import { createEventsRpc } from '../entrypoints/events-rpc.ts'
import { openRemoteBus } from './remote-bus.ts'

const service = { id: 'tests', roles: ['service'] }

type Connect = (dispatcher: Dispatcher) => Promise<{ readonly transport: Transport } & AsyncDisposable>

function opener(connect: Connect): () => Promise<BusFixture> {
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plinth-events-'))
    const start = async () => {
      await using undo = new AsyncDisposableStack()
      const local = undo.use(await openLogBus({ folder }))
      const dispatcher = createDispatcher(
        [bindService(EventsService, createEventsRpc(local))],
        standardInterceptors({ authenticator: { authenticate: () => service } }),
      )
      const { transport } = undo.use(await connect(dispatcher))
      const bus = undo.use(openRemoteBus({ client: createClient(EventsService, transport) }))
      const running = undo.move()
      return { bus, [Symbol.asyncDispose]: () => running.disposeAsync() }
    }
    let running = await start()
    return {
      bus: running.bus,
      async restart() {
        await running[Symbol.asyncDispose]()
        running = await start()
        return running.bus
      },
      async [Symbol.asyncDispose]() {
        await running[Symbol.asyncDispose]()
        await rm(folder, { recursive: true })
      },
    }
  }
}

const inProcess: Connect = async (dispatcher) => {
  const transport = createInProcessTransport(dispatcher, { principal: service })
  return { transport, [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose]() }
}

const overGrpc: Connect = async (dispatcher) => {
  const server = await createGrpcServer(dispatcher, { port: 0 })
  const transport = createGrpcTransport({ address: server.address })
  return {
    transport,
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]()
      await server.close()
    },
  }
}

describeBus('remote, in process', opener(inProcess), { durable: true })
describeBus('remote, over gRPC', opener(overGrpc), { durable: true })

it('a remote handler that fails is told with the kind and code of its failure', async () => {
  await using local = await openMemoryBus()
  const failed = Promise.withResolvers<unknown>()
  const listening: Bus = {
    ...local,
    admin: local.admin,
    publish: (messages) => local.publish(messages),
    subscribe: (options) =>
      local.subscribe({
        ...options,
        handler: async (message, delivery) => {
          await options.handler(message, delivery).catch((error) => {
            failed.resolve(error)
            throw error
          })
        },
      }),
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  }
  const rpc = bindService(EventsService, createEventsRpc(listening))
  const interceptors = standardInterceptors({ authenticator: { authenticate: () => service } })
  await using connected = await inProcess(createDispatcher([rpc], interceptors))
  await using bus = openRemoteBus({ client: createClient(EventsService, connected.transport) })
  await bus.subscribe({
    topics: ['a.one'],
    group: 'g',
    handler: async () => {
      throw new PlatformError('Cannot reach the printer', { kind: 'unavailable', code: 'tests.printer_gone' })
    },
  })
  await bus.publish([newMessage({ topic: 'a.one' })])
  const error = await failed.promise
  assert.ok(PlatformError.is(error))
  assert.deepEqual(
    [error.kind, error.code, error.message],
    ['unavailable', 'tests.printer_gone', 'Cannot reach the printer'],
  )
})
