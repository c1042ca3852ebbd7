import type { Clock, Timer } from '@plinth/base'
import { Clocks } from '../keys.ts'
import { defineModule } from '../wiring/module.ts'
import type { HealthCheck } from './health-registry.ts'

/** When a loop counts as stalled, and for how long that is shown. */
export interface EventLoopCheckOptions {
  /** A delay of a timer from which the loop counts as stalled, 10 to 60000. @default 1000 */
  readonly stallMs?: number
  /** How long a stall is remembered, 1000 to 600000. @default 30000 */
  readonly windowMs?: number
}

const tickMs = 250

/**
 * Watches whether the event loop turns: a timer every 250 ms that comes late by `stallMs` or more is a stall, which
 * degrades health for `windowMs`. Dispose it to end the timer.
 *
 * @throws RangeError when an option is out of its bounds.
 */
export function createEventLoopCheck(
  deps: { readonly clock: Clock },
  options: EventLoopCheckOptions = {},
): HealthCheck & Disposable {
  const { stallMs = 1000, windowMs = 30_000 } = options
  if (!(stallMs >= 10 && stallMs <= 60_000))
    throw new RangeError(`Cannot watch the event loop: stallMs is 10 to 60000, received ${stallMs}`)
  if (!(windowMs >= 1000 && windowMs <= 600_000))
    throw new RangeError(`Cannot watch the event loop: windowMs is 1000 to 600000, received ${windowMs}`)
  const { clock } = deps
  let worst: { readonly lagMs: number; readonly atMs: number } | undefined
  let dueMs = 0
  let timer: Timer
  tick()

  function tick(): void {
    dueMs = clock.monotonicMs() + tickMs
    timer = clock.setTimer(() => {
      note()
      tick()
    }, tickMs)
  }

  /** Also called by the check itself, which may run before a late timer does. */
  function note(): void {
    const atMs = clock.monotonicMs()
    const lagMs = atMs - dueMs
    if (worst && atMs - worst.atMs > windowMs) worst = undefined
    if (lagMs >= stallMs && lagMs >= (worst?.lagMs ?? 0)) worst = { lagMs, atMs }
  }

  return {
    name: 'event-loop',
    criticality: 'degrading',
    cacheMs: 0,
    check() {
      note()
      if (!worst) return { ok: true }
      const agoMs = Math.round(clock.monotonicMs() - worst.atMs)
      return { ok: false, reason: `the event loop stalled for ${Math.round(worst.lagMs)} ms, ${agoMs} ms ago` }
    },
    [Symbol.dispose]() {
      timer.cancel()
    },
  }
}

/** Has the event loop watched with the defaults of {@link createEventLoopCheck}. */
export const eventLoopModule = defineModule({
  name: 'event-loop',
  needs: { clock: Clocks },
  start({ clock }, context) {
    const check = createEventLoopCheck({ clock })
    context.health.register(check)
    return { stop: () => check[Symbol.dispose]() }
  },
})
