/** A pending timer; disposing it cancels it, and cancelling one that has fired does nothing. */
export interface Timer extends Disposable {
  cancel(): void
}

/**
 * Time as a parameter. Whatever waits or dates anything takes a clock, so that tests and simulation run on virtual
 * time. Wall time dates things; monotonic time measures them, and no wall-clock step can move it.
 */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. May jump. */
  nowMs(): number
  /** Milliseconds from an arbitrary start, with fractions. Never goes back. */
  monotonicMs(): number
  /**
   * Calls `callback` once, `delayMs` from now, to the millisecond, or later; never before this call has returned.
   * `Infinity` waits for ever. `callback` must not throw. A timer does not keep the process alive.
   */
  setTimer(callback: () => void, delayMs: number): Timer
}

const delayMsMax = 2 ** 31 - 1

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(callback, delayMs) {
    let handle: NodeJS.Timeout
    const arm = (restMs: number) => {
      // Node fires at once when a delay overflows 32 bits, which would turn "in a month" into "now".
      handle =
        restMs > delayMsMax ? setTimeout(() => arm(restMs - delayMsMax), delayMsMax) : setTimeout(callback, restMs)
      handle.unref()
    }
    arm(Math.max(delayMs, 0))
    const cancel = () => clearTimeout(handle)
    return { cancel, [Symbol.dispose]: cancel }
  },
}

/**
 * Waits `delayMs` on the given clock.
 *
 * @throws the signal's reason as soon as it aborts; the timer is then cancelled.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.setTimer(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, delayMs)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
