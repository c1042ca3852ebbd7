/** Lets a bounded number of jobs run at once and a bounded number wait, in the order they came. */
export interface Turns {
  /** Runs `job` when it is its turn. @throws the `full` error, or the signal's reason while it waits. */
  take<T>(job: () => Promise<T>, signal: AbortSignal): Promise<T>
  readonly load: { readonly running: number; readonly waiting: number }
}

export interface TurnsOptions {
  readonly concurrency: number
  readonly queueMax: number
  /** The refusal when `waiting` jobs wait already. */
  readonly full: (waiting: number) => Error
}

export function createTurns({ concurrency, queueMax, full }: TurnsOptions): Turns {
  let running = 0
  // A set keeps the order and lets an aborted waiter leave from the middle.
  const waiting = new Set<() => void>()

  function wait(signal: AbortSignal): Promise<void> {
    if (waiting.size >= queueMax) return Promise.reject(full(waiting.size))
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        waiting.delete(go)
        reject(signal.reason)
      }
      const go = () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      waiting.add(go)
    })
  }

  return {
    async take(job, signal) {
      signal.throwIfAborted()
      if (running < concurrency) running++
      // The one who leaves hands its place on, so a newcomer cannot slip in between.
      else await wait(signal)
      try {
        return await job()
      } finally {
        const [next] = waiting
        if (next) {
          waiting.delete(next)
          next()
        } else {
          running--
        }
      }
    },
    get load() {
      return { running, waiting: waiting.size }
    },
  }
}
