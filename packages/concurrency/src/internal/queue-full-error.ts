import { PlatformError } from '@plinth/base'

/** The fault of a caller for whom there is no place left to wait. */
export function queueFullError(what: string, waitingMax: number): PlatformError {
  return new PlatformError(`Cannot ${what}: ${waitingMax} wait already`, {
    kind: 'exhausted',
    code: 'concurrency.queue_full',
    details: { waitingMax },
  })
}
