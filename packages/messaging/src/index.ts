/**
 * Messages between services: one port, an embedded durable log behind it, and the outbox and inbox that tie it to a
 * database.
 * @module
 */
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
  NewMessage,
  RetryOptions,
  SubscribeOptions,
  Subscription,
  TopicInfo,
} from './bus.ts'
export { type Inbox, inbox, inboxMigration } from './inbox.ts'
export { createOutbox, type MessagingTx, type Outbox, type OutboxOptions, outboxMigration } from './outbox.ts'
export {
  type OutboxAnnouncement,
  type OutboxRelay,
  type OutboxRelayDeps,
  type OutboxRelayOptions,
  type RelayStore,
  startOutboxRelay,
} from './outbox-relay.ts'
