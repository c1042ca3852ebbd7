import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIds, createSystemRandom, systemClock } from '@plinth/base'
import { openMemoryBus } from '@plinth/messaging'
import { Heard, newMessage } from '@plinth/messaging/testing'
import {
  bindService,
  createClient,
  createDispatcher,
  createGrpcServer,
  createGrpcTransport,
  standardInterceptors,
} from '@plinth/rpc'
import { EventsService } from '../../contract/index.ts'
import { createEventsRpc } from '../entrypoints/events-rpc.ts'
import { openRemoteBus } from './remote-bus.ts'

test('a remote subscription joins again after its server went away, without loss or reorder', {
  timeout: 20_000,
}, async () => {
  const ids = createIds({ clock: systemClock, random: createSystemRandom() })
  await using local = await openMemoryBus()
  const dispatcher = createDispatcher(
    [bindService(EventsService, createEventsRpc(local))],
    standardInterceptors({ authenticator: { authenticate: () => ({ id: 'tests', roles: ['service'] }) } }),
  )
  let server = await createGrpcServer(dispatcher, { port: 0 })
  const { port } = server
  await using transport = createGrpcTransport({ address: server.address })
  const heard = new Heard()
  const busy = new Set<string>()
  {
    await using bus = openRemoteBus(
      { client: createClient(EventsService, transport) },
      { rejoinMinMs: 5, rejoinMaxMs: 50 },
    )
    await bus.subscribe({
      topics: ['orders.order'],
      group: 'g',
      async handler(message) {
        assert.ok(!busy.has(message.key), 'the key is under way already')
        busy.add(message.key)
        await new Promise((resolve) => setImmediate(resolve))
        busy.delete(message.key)
        heard.add(message)
      },
    })
    const keys = ['a', 'b', 'c']
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 40; n++) {
        const payload = Buffer.from(String(round * 40 + n))
        await local.publish(keys.map((key) => newMessage({ key, id: ids.next(), payload })))
      }
      await server.close()
      server = await createGrpcServer(dispatcher, { port })
    }
    const distinct = (key: string) => new Set(heard.of(key))
    await heard.until(() => keys.every((key) => distinct(key).size === 120))
    // First deliveries in order; what came again was unanswered when the server went away.
    for (const key of keys)
      assert.deepEqual(
        [...distinct(key)],
        Array.from({ length: 120 }, (_, n) => n),
      )
  }
  await server.close()
})
