import { type Channel, channel } from 'node:diagnostics_channel'

/** One commit of the SQLite writer, on the channel `plinth:data:commit`. */
export interface CommitAnnouncement {
  /** The store's name. */
  readonly store: string
  /** How many units of work shared the commit, those that were rolled back included. */
  readonly units: number
  /** From the start of the transaction to the end of the commit, in milliseconds. */
  readonly durationMs: number
  /** The commit alone, which is the fsync, in milliseconds. */
  readonly commitMs: number
  /** Units still waiting for their turn. */
  readonly queued: number
  /** Code of the fault if nothing was committed. */
  readonly failed?: string
}

/** The state of a PostgreSQL pool after something changed, on the channel `plinth:data:pool`. */
export interface PoolAnnouncement {
  readonly store: string
  readonly event: 'acquired' | 'exhausted' | 'lost' | 'retried'
  readonly total: number
  readonly idle: number
  readonly waiting: number
  /** How long the caller waited for its connection, in milliseconds; 0 for other events. */
  readonly waitedMs: number
}

/** Nobody pays for an announcement that nobody hears: publish only when `hasSubscribers`. */
export const commitChannel: Channel<unknown, CommitAnnouncement> = channel('plinth:data:commit')
export const poolChannel: Channel<unknown, PoolAnnouncement> = channel('plinth:data:pool')
