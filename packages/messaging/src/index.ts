/**
 * Messages between services: one port, an embedded durable log behind it, and the outbox and inbox that tie it to a
 * database.
 * @module
 */

export type {
  BusFaultAnnouncement,
  DeadLetterAnnouncement,
  GapAnnouncement,
  RepairedAnnouncement,
} from './announcements.ts'
export type {
  Bus,
  BusAdmin,
  DeadLetter,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterSelection,
  Delivery,
  GroupInfo,
  Message,
  MessageMiddleware,
  NewMessage,
  RetryOptions,
  SubscribeOptions,
  Subscription,
  TailQuery,
  TopicInfo,
} from './bus.ts'
export { type Disk, type DiskFile, systemDisk } from './disk.ts'
export { type Inbox, inbox, inboxMigration } from './inbox.ts'
export { type LogBusDeps, openLogBus } from './log-bus.ts'
export type { LogBusOptions } from './log-bus-options.ts'
export { type MemoryBusOptions, openMemoryBus } from './memory-bus.ts'
export { checkMessages, type MessageLimits, resolveLimits } from './message-limits.ts'
export { createOutbox, type MessagingTx, type Outbox, type OutboxOptions, outboxMigration } from './outbox.ts'
export {
  type OutboxAnnouncement,
  type OutboxRelay,
  type OutboxRelayDeps,
  type OutboxRelayOptions,
  startOutboxRelay,
} from './outbox-relay.ts'
export type { RelayStore } from './outbox-rows.ts'
export { type ResolvedSubscription, resolveSubscription } from './subscription-options.ts'
