/**
 * Fakes for what the base makes a parameter.
 * @module
 */
import type { Clock, Timer } from './clock.ts'

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves time forward, firing due timers in order of their time, each at its own time, and letting promises settle
   * between them.
   */
  advance(byMs: number): Promise<void>
  /** Moves the wall clock alone, as a correction of the machine's time does: forward or back, firing nothing. */
  stepWall(byMs: number): void
  /** How many timers wait. A test that ends with some has found a leak. */
  readonly pendingTimers: number
}

interface Waiting {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

/** Makes a clock at `startMs`, by default 2026-01-01T00:00:00Z. */
export function createFakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  // Timers and monotonic time run on their own scale, which a step of the wall clock does not move.
  let elapsedMs = 0
  let wallMs = startMs
  let order = 0
  const waiting = new Set<Waiting>()

  function nextDue(untilMs: number): Waiting | undefined {
    let due: Waiting | undefined
    for (const timer of waiting) {
      if (timer.atMs > untilMs) continue
      if (!due || timer.atMs < due.atMs || (timer.atMs === due.atMs && timer.order < due.order)) due = timer
    }
    return due
  }

  return {
    nowMs: () => wallMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    setTimer(callback, delayMs): Timer {
      const timer: Waiting = { atMs: elapsedMs + Math.max(delayMs, 0), order: order++, callback }
      waiting.add(timer)
      const cancel = () => {
        waiting.delete(timer)
      }
      return { cancel, [Symbol.dispose]: cancel }
    },
    async advance(byMs) {
      if (!(byMs >= 0)) throw new RangeError(`Cannot advance by ${byMs} ms: time only goes forward`)
      const untilMs = elapsedMs + byMs
      await settle()
      for (let due = nextDue(untilMs); due; due = nextDue(untilMs)) {
        waiting.delete(due)
        elapsedMs = Math.max(elapsedMs, due.atMs)
        due.callback()
        await settle()
      }
      elapsedMs = Math.max(elapsedMs, untilMs)
    },
    stepWall(byMs) {
      wallMs += byMs
    },
    get pendingTimers() {
      return waiting.size
    },
  }
}

/** Lets every promise that can settle without time passing do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
