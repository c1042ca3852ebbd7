import {
  Clocks,
  configOf,
  createObservabilityInterceptors,
  defineModule,
  IdsKey,
  key,
  Log,
  Metrics,
  observeAnnouncements,
  Tracer,
} from '@plinth/kernel'
import type { Interceptor } from '@plinth/rpc'
import { rpcConfig } from './config.ts'

/** Trace, metrics and log around every served call, outermost first. */
export const Observers = key<readonly Interceptor[]>()('observers')

/** Watches calls and what the libraries announce. */
export const observersModule = defineModule({
  name: 'observers',
  needs: { log: Log, metrics: Metrics, tracer: Tracer, clock: Clocks, ids: IdsKey, rpc: configOf(rpcConfig) },
  provides: { observers: Observers },
  start({ log, metrics, tracer, clock, ids, rpc }) {
    const { accessLog, slowMs } = rpc.current
    const announcements = observeAnnouncements({ log, metrics })
    const observers = createObservabilityInterceptors(
      { log, metrics, tracer, clock, ids },
      { accessLog: accessLog === 'all', slowMs },
    )
    return { provides: { observers }, stop: () => announcements[Symbol.dispose]() }
  },
})
