import { key } from '@plinth/kernel'
import type { Interceptor } from '@plinth/rpc'

/** What watches calls: around the ones this process serves, and on the ones it makes. */
export interface CallObservers {
  /** Trace, metrics and log around every served call. */
  readonly server: readonly Interceptor[]
  /** Headers that carry the trace and the request id to another process. */
  outgoingHeaders(): Readonly<Record<string, string>>
}

export const Observers = key<CallObservers>()('observers')
