import { createIds, createSystemRandom, systemClock } from '@plinth/base'
import { Clocks, defineModule, IdsKey, Log, Metrics, Randoms, Tracer } from '@plinth/kernel'
import { collectProcessMetrics, createMetrics, createTracer, type RootLogger } from '@plinth/telemetry'

export interface FoundationOptions {
  /** The log outlives the application: it tells how its stop went. */
  readonly log: RootLogger
  /** Share of traces that are recorded. */
  readonly traceRatio: number
}

/** Time, chance, identity and telemetry of a real process. Simulation puts its own in their place. */
export function createFoundationModule({ log, traceRatio }: FoundationOptions) {
  return defineModule({
    name: 'foundation',
    provides: { clock: Clocks, random: Randoms, ids: IdsKey, log: Log, metrics: Metrics, tracer: Tracer },
    start() {
      const clock = systemClock
      const random = createSystemRandom()
      const metrics = createMetrics()
      const processMetrics = collectProcessMetrics(metrics)
      const tracer = createTracer({ clock, random }, { sampling: { ratio: traceRatio } })
      return {
        provides: { clock, random, ids: createIds({ clock, random }), log, metrics, tracer },
        async stop() {
          processMetrics[Symbol.dispose]()
          await tracer[Symbol.asyncDispose]()
        },
      }
    },
  })
}
