import type { Middleware } from '@plinth/concurrency'

/** A message to publish. */
export interface NewMessage {
  /** `<service>.<subject>`, lower case with dots: `orders.order`. Up to 200 characters. */
  readonly topic: string
  /** Messages of one topic and key are delivered in the order they were published. Up to 200 characters. */
  readonly key: string
  /** UUIDv7. Publishing the same id again is allowed; consumers tell it apart by their inbox. */
  readonly id: string
  /** What happened, in the past tense: `order_placed`. */
  readonly type: string
  readonly headers: Readonly<Record<string, string>>
  /** Up to `payloadBytesMax` of the bus (default 1 MiB). */
  readonly payload: Uint8Array
  /** When it happened, wall time in milliseconds. */
  readonly timeMs: number
}

/** A message as a consumer receives it. */
export interface Message extends NewMessage {
  /** Position in its topic (partition), growing; for display and lag, not for logic. */
  readonly offset: bigint
}

/** What the handler knows about this delivery. */
export interface Delivery {
  /** 1 on the first delivery. */
  readonly attempt: number
  /** Aborts when the subscription closes and its grace is over. */
  readonly signal: AbortSignal
}

/** A link around handlers of messages: the shape that HTTP and RPC have too. `compose` of @plinth/concurrency chains it. */
export type MessageMiddleware = Middleware<Message, Promise<void>, Delivery>

/** What a consumer wants: which topics, in whose name, and how patiently. */
export interface SubscribeOptions {
  readonly topics: readonly string[]
  /** Consumers of one group share the work; every group sees every message. */
  readonly group: string
  /**
   * Types of messages that the handler wants, 1 to 100; all others are acknowledged unseen.
   * @default every type
   */
  readonly types?: readonly string[]
  /** Returning acknowledges; throwing asks for another delivery after the backoff. */
  readonly handler: (message: Message, delivery: Delivery) => Promise<void>
  /**
   * How many keys are handled at once. One key is never handled twice at the same time.
   * @default 64
   */
  readonly concurrency?: number
  readonly retry?: RetryOptions
  /**
   * Where a new group begins. A known group goes on where it stopped.
   * @default 'earliest'
   */
  readonly from?: 'earliest' | 'latest'
}

/** How often and how fast a failed message is delivered again. */
export interface RetryOptions {
  /** After so many deliveries the message becomes a dead letter and its key goes on. @default 10 */
  readonly attemptsMax?: number
  /** @default 50 */
  readonly backoffMinMs?: number
  /** @default 30000 */
  readonly backoffMaxMs?: number
}

/** A running consumer; closing it leaves the group where it is. */
export interface Subscription extends AsyncDisposable {
  /**
   * Stops fetching, waits for handlers under way up to `graceMs` (default 5000), then aborts their signals. Called
   * again, the grace that ends first holds.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

/**
 * Durable messages between services. The promise: when `publish` resolves, the messages survive `kill -9` and are
 * delivered to every group at least once, in order within a topic and key. A handler that fails is tried again with
 * growing pauses (other keys go on meanwhile); a message that keeps failing is set aside as a dead letter, to be
 * looked at, replayed or dropped.
 */
export interface Bus extends AsyncDisposable {
  /**
   * Appends all messages. Resolves when they are durable.
   * @throws PlatformError `messaging.full` (exhausted) when the bus has no room, `messaging.payload_too_large`
   * (invalid), `messaging.closed` (unavailable).
   */
  publish(messages: readonly NewMessage[], options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Joins a group. Resolves when messages flow. */
  subscribe(options: SubscribeOptions): Promise<Subscription>
  readonly admin: BusAdmin
}

/** What an operator sees and does. */
export interface BusAdmin {
  topics(): Promise<readonly TopicInfo[]>
  groups(): Promise<readonly GroupInfo[]>
  deadLetters(query: DeadLetterQuery): Promise<DeadLetterPage>
  /** Puts dead letters back before their group, keeping their ids. Answers how many. */
  replay(selection: DeadLetterSelection): Promise<number>
  /** Removes dead letters for good. Answers how many. */
  drop(selection: DeadLetterSelection): Promise<number>
  /**
   * Reads a topic beside all groups: what is there from `from` on, then what comes, until the signal aborts (the
   * iteration then ends) or the bus is closed (it throws `messaging.closed`). A slow reader is not waited for: what
   * retention took meanwhile it misses, and the offsets show it.
   */
  tail(query: TailQuery): AsyncIterable<Message>
}

/** Which part of a topic to follow. */
export interface TailQuery {
  readonly topic: string
  /** An offset begins at that message, or at the oldest that is still there. @default 'latest' */
  readonly from?: 'earliest' | 'latest' | bigint
  readonly signal?: AbortSignal
}

/** A topic as it stands. Offsets count messages, `bytes` what they take on disk. */
export interface TopicInfo {
  readonly topic: string
  readonly firstOffset: bigint
  readonly nextOffset: bigint
  readonly bytes: number
}

/** How far a group has come in one topic. */
export interface GroupInfo {
  readonly group: string
  readonly topic: string
  /** First offset not acknowledged. */
  readonly committedOffset: bigint
  /** Messages published and not yet acknowledged. */
  readonly lag: bigint
  readonly deadLetters: number
  readonly active: boolean
}

/** A message that was given up for one group, with the reason. */
export interface DeadLetter {
  readonly id: string
  readonly group: string
  readonly message: Message
  readonly attempts: number
  /** Code and message of the last failure. */
  readonly failure: string
  readonly diedAtMs: number
}

/** Which dead letters to list, oldest first. */
export interface DeadLetterQuery {
  readonly group?: string
  readonly topic?: string
  /** 1 to 1000. @default 100 */
  readonly limit?: number
  readonly after?: string
}

/** Some dead letters, and where to go on. */
export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[]
  readonly next: string | undefined
}

/** Named letters, or all of a group (and topic). */
export type DeadLetterSelection =
  | { readonly ids: readonly string[] }
  | { readonly group: string; readonly topic?: string }
