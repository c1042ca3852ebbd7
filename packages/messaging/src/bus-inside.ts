import type { StateChange } from './bus-state.ts'
import type { DeadLetters, Letter } from './groups/dead-letters.ts'
import type { Feed } from './groups/feed.ts'
import type { MessageLog } from './log/message-log.ts'
import type { ResolvedLogBusOptions } from './log-bus-options.ts'

/** What the parts of the embedded bus (operator's side, retention) see of it. */
export interface BusInside {
  readonly options: ResolvedLogBusOptions
  readonly log: MessageLog
  readonly letters: DeadLetters
  /** By group and topic. */
  readonly feeds: ReadonlyMap<string, Feed>
  /** Called after every batch that became durable, and when the bus closes. */
  readonly batchListeners: Set<() => void>
  /** @throws PlatformError `messaging.closed`. */
  checkOpen(): void
  /** The group's feed of the letter's topic, made when the letter outlived it. */
  feedOf(letter: Letter): Feed
  /** Makes changes durable. */
  write(changes: readonly StateChange[]): Promise<void>
}
