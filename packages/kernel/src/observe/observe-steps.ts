import { cancelledError } from '@plinth/concurrency'
import type { OpenSpan } from '@plinth/telemetry'

/** How a stream ended; without an error when its last message was read. */
export interface StreamEnd {
  readonly error?: unknown
}

/** Runs every step of a stream in its span and tells once how it ended. A reader who leaves early cancels it. */
export function observeSteps<T>(
  span: OpenSpan,
  stream: { readonly steps: AsyncIterator<T>; readonly end: (outcome: StreamEnd) => void },
): AsyncIterator<T> {
  let isOpen = true
  const end = (outcome: StreamEnd) => {
    if (!isOpen) return
    isOpen = false
    span.run(() => stream.end(outcome))
    span.end(outcome.error)
  }
  return {
    async next() {
      try {
        const step = await span.run(() => stream.steps.next())
        if (step.done) end({})
        return step
      } catch (error) {
        end({ error })
        throw error
      }
    },
    async return() {
      try {
        await span.run(() => stream.steps.return?.())
        end({ error: cancelledError() })
      } catch (error) {
        end({ error })
        throw error
      }
      return { done: true, value: undefined }
    },
  }
}
