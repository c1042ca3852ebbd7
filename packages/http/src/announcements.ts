import { channel } from 'node:diagnostics_channel'

/** Published on `plinth:http:request` when an answer has left or its client has. */
export interface HttpRequestAnnouncement {
  readonly requestId: string
  readonly method: string
  /** Without the query, which may hold what no log should. */
  readonly path: string
  /** The route's template, for labels of bounded number; empty when nothing matched. */
  readonly route: string
  /** 499 when the client left before the answer was complete. */
  readonly status: number
  readonly durationMs: number
  readonly peer: string
  readonly userAgent: string
}

/** Published on `plinth:http:refused` when a connection is answered below the level of requests. */
export interface HttpRefusedAnnouncement {
  /** A code of this package. */
  readonly code: string
  readonly status: number
  readonly peer: string
}

/** Where requests are announced; publishing costs nothing while nobody subscribes. */
export const requestChannel = channel('plinth:http:request')
/** Where refused connections are announced. */
export const refusedChannel = channel('plinth:http:refused')
