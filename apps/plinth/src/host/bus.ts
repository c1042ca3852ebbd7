import { join } from 'node:path'
import { eventsContract } from '@plinth/events-service/contract'
import { openRemoteBus } from '@plinth/events-service/remote-bus'
import { BusKey, Clocks, clientOf, configOf, defineModule, Log, Metrics, observeBus, Tracer } from '@plinth/kernel'
import { openLogBus } from '@plinth/messaging'
import { dataConfig } from './config.ts'

const watching = { clock: Clocks, log: Log, metrics: Metrics, tracer: Tracer } as const

/** The bus of the process that owns the embedded log. */
export const localBusModule = defineModule({
  name: 'bus',
  needs: { ...watching, data: configOf(dataConfig) },
  provides: { bus: BusKey },
  async start({ data, ...deps }) {
    const bus = observeBus(deps, await openLogBus({ folder: join(data.current.dir, 'bus') }, deps))
    return { provides: { bus }, stop: () => bus[Symbol.asyncDispose]() }
  },
})

/** The bus of every other process: the same log, through the events service. */
export const remoteBusModule = defineModule({
  name: 'bus',
  needs: { ...watching, events: clientOf(eventsContract) },
  provides: { bus: BusKey },
  async start({ events, ...deps }) {
    const bus = observeBus(deps, openRemoteBus({ client: events, clock: deps.clock }))
    return { provides: { bus }, stop: () => bus[Symbol.asyncDispose]() }
  },
})
