import { type Clock, PlatformError } from '@plinth/base'

/**
 * Waits for `work` for at most `timeoutMs`; past that `onLate` hears the fault it is rejected with, and whatever the
 * work still brings is dropped.
 */
export async function withinTime<T>(
  work: Promise<T>,
  options: { readonly clock: Clock; readonly timeoutMs: number; readonly onLate: (fault: PlatformError) => void },
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  using _timer = options.clock.setTimer(() => {
    const fault = unitTooLong(options.timeoutMs)
    options.onLate(fault)
    reject(fault)
  }, options.timeoutMs)
  work.then(resolve, reject)
  return await promise
}

/** The fault of a transaction that was held for too long. */
export function unitTooLong(unitTimeoutMs: number): PlatformError {
  return new PlatformError(`Cannot finish the unit of work: it took longer than ${unitTimeoutMs} ms`, {
    kind: 'timeout',
    code: 'data.unit_too_long',
    details: { unitTimeoutMs },
  })
}
