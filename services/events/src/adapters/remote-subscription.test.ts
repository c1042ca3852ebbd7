import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import type { CallOptions } from '@plinth/rpc'
import { EventsService } from '../../contract/index.ts'
import { openRemoteBus } from './remote-bus.ts'

const answer = () => create(EventsService.method.consume.output, {})

describe('remote subscription', () => {
  it('close() does not wait for a peer that is not there', async () => {
    const clock = createFakeClock()
    let streams = 0
    const looking = Promise.withResolvers<void>()
    const client = {
      async *consume(_: unknown, { signal }: CallOptions) {
        if (++streams === 1) {
          yield answer()
          throw new PlatformError('gone', { kind: 'unavailable', code: 'rpc.peer_unavailable' })
        }
        looking.resolve()
        await once(signal!, 'abort')
        signal!.throwIfAborted()
      },
    }
    const bus = openRemoteBus({ client: client as never, clock })
    await bus.subscribe({ topics: ['orders.order'], group: 'g', handler: async () => {} })
    await clock.advance(60_000)
    await looking.promise
    // The clock stands still: waiting for the peer would never end.
    await bus[Symbol.asyncDispose]()
    assert.equal(streams, 2)
  })
})
