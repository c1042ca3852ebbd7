import { AsyncLocalStorage } from 'node:async_hooks'

/** Which trace and request the running code belongs to. */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string
  /** Bit 0: sampled. */
  readonly flags: number
  /** The vendors' list that came along, checked; passed on as it is. */
  readonly traceState?: string | undefined
  /** Names the request at the edge; carried by every line logged while it is served. */
  readonly requestId?: string | undefined
}

const current = new AsyncLocalStorage<TraceContext>()

/** The context this code runs in, across every `await`; `undefined` outside any trace. */
export function currentTrace(): TraceContext | undefined {
  return current.getStore()
}

/** Runs `work` with `args` in `context`. The tracer does this for its spans; edges without one may do it themselves. */
export function runInTrace<T, Arguments extends unknown[]>(
  context: TraceContext,
  work: (...args: Arguments) => T,
  ...args: Arguments
): T {
  return current.run(context, work, ...args)
}
