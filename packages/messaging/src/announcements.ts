import { channel } from 'node:diagnostics_channel'
import type { PlatformError } from '@plinth/base'

/** Announced on `plinth:messaging:repaired`: the end of a write that never completed was cut off at start. */
export interface RepairedAnnouncement {
  readonly path: string
  readonly at: number
  readonly bytes: number
}

/** Announced on `plinth:messaging:dead_letter`. */
export interface DeadLetterAnnouncement {
  readonly group: string
  readonly topic: string
  readonly id: string
  readonly messageId: string
  readonly attempts: number
  readonly failure: string
}

/**
 * Announced on `plinth:messaging:fault`: what went wrong where no caller could be told. `reading` a group stands
 * still until the bus is opened again; `burying` a dead letter has no room and its key waits; `saving` progress will
 * be tried again; `retaining` old segments could not be deleted yet.
 */
export interface BusFaultAnnouncement {
  readonly doing: 'reading' | 'burying' | 'saving' | 'retaining'
  readonly group?: string
  readonly topic?: string
  readonly fault: PlatformError
}

/** Announced on `plinth:messaging:gap`: retention took offsets `from` up to `to` before the group had read them. */
export interface GapAnnouncement {
  readonly group: string
  readonly topic: string
  readonly from: number
  readonly to: number
}

const repairedChannel = channel('plinth:messaging:repaired')
const deadLetterChannel = channel('plinth:messaging:dead_letter')
const faultChannel = channel('plinth:messaging:fault')
const gapChannel = channel('plinth:messaging:gap')

export const announce = {
  repaired(event: RepairedAnnouncement): void {
    if (repairedChannel.hasSubscribers) repairedChannel.publish(event)
  },
  deadLetter(event: DeadLetterAnnouncement): void {
    if (deadLetterChannel.hasSubscribers) deadLetterChannel.publish(event)
  },
  fault(event: BusFaultAnnouncement): void {
    if (faultChannel.hasSubscribers) faultChannel.publish(event)
  },
  gap(event: GapAnnouncement): void {
    if (gapChannel.hasSubscribers) gapChannel.publish(event)
  },
}
