import { type Clock, PlatformError } from '@plinth/base'

export interface TimeLimit {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Makes the fault when the time is up. */
  readonly late: () => unknown
  /** Ends the wait too, with its reason. */
  readonly signal?: AbortSignal
}

/** Waits for `work` until it settles, the time is up or the signal aborts; what it brings later is dropped. */
export async function withinTime<T>(work: Promise<T>, limit: TimeLimit): Promise<T> {
  const { signal } = limit
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onAbort = () => reject(signal?.reason)
  work.then(resolve, reject)
  using _timer = limit.clock.setTimer(() => reject(limit.late()), limit.timeoutMs)
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** The fault of a transaction that was held for too long. */
export function unitTooLong(unitTimeoutMs: number): PlatformError {
  return new PlatformError(`Cannot finish the unit of work: it took longer than ${unitTimeoutMs} ms`, {
    kind: 'timeout',
    code: 'data.unit_too_long',
    details: { unitTimeoutMs },
  })
}
