/**
 * The events service, put together.
 * @module
 */
import { BusKey, bindingOf, defineModule } from '@plinth/kernel'
import { bindService } from '@plinth/rpc'
import { EventsService, eventsContract } from '../contract/index.ts'
import { createEventsRpc } from './entrypoints/events-rpc.ts'

/** The events service as a module: gives operators and other processes access to the bus of this one. */
export function createEventsModule() {
  return defineModule({
    name: 'events',
    needs: { bus: BusKey },
    provides: { events: bindingOf(eventsContract) },
    async start({ bus }) {
      return { provides: { events: bindService(EventsService, createEventsRpc(bus)) } }
    },
  })
}
