import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLogBus } from '@plinth/messaging'
import { type BusFixture, describeBus } from '@plinth/messaging/testing'
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
