import { join } from 'node:path'
import { eventsContract } from '@plinth/events-service/contract'
import { openRemoteBus } from '@plinth/events-service/remote-bus'
import { BusKey, Clocks, clientOf, configOf, defineModule } from '@plinth/kernel'
import { openLogBus } from '@plinth/messaging'
import { dataConfig } from './config.ts'

/** The bus of the process that owns the embedded log. */
export const localBusModule = defineModule({
  name: 'bus',
  needs: { clock: Clocks, data: configOf(dataConfig) },
  provides: { bus: BusKey },
  async start({ clock, data }) {
    const bus = await openLogBus({ folder: join(data.current.dir, 'bus') }, { clock })
    return { provides: { bus }, stop: () => bus[Symbol.asyncDispose]() }
  },
})

/** The bus of every other process: the same log, through the events service. */
export const remoteBusModule = defineModule({
  name: 'bus',
  needs: { clock: Clocks, events: clientOf(eventsContract) },
  provides: { bus: BusKey },
  async start({ clock, events }) {
    const bus = openRemoteBus(events, { clock })
    return { provides: { bus }, stop: () => bus[Symbol.asyncDispose]() }
  },
})
