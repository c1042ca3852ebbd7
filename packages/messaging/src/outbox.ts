import { type SqlDialectName, type SqlWriter, sql } from '@plinth/data'
import type { NewMessage } from './bus.ts'
import { checkMessages, type MessageLimits, resolveLimits } from './message-limits.ts'

/** The part of a unit of work that the outbox and the inbox need; every `SqlWriter` has it. */
export type MessagingTx = Pick<SqlWriter<unknown>, 'run' | 'afterCommit' | 'dialect'>

/**
 * Messages that are committed together with the state they tell of, in a table of the same database. The relay
 * carries them to the bus afterwards.
 */
export interface Outbox {
  /**
   * Adds messages to the unit of work: they will be published if it commits and never if it does not. Within one key
   * they are published in the order of the commits. On PostgreSQL that holds when the unit has written the
   * aggregate's own row before it calls `add`, since that row's lock is what puts two units of one key in order.
   *
   * @throws PlatformError as `Bus.publish` does for messages it cannot keep.
   */
  add(tx: MessagingTx, messages: readonly NewMessage[]): Promise<void>
  /** Calls `listener` after each commit that added messages. Used by the relay. Answers how to stop that. */
  onCommitted(listener: () => void): () => void
}

/** What every message of an outbox gets, and what it may be. */
export interface OutboxOptions {
  /** Added to every message's own headers at the time of `add` (trace context); the message's own win. */
  readonly headers?: () => Readonly<Record<string, string>>
  /** Same bounds as the bus has, so that nothing enters that could not leave. */
  readonly limits?: Partial<MessageLimits>
}

interface OutboxRow {
  readonly topic: string
  readonly key: string
  readonly id: string
  readonly type: string
  readonly headers: string
  readonly payload: Uint8Array
  readonly timeMs: number
  readonly bytes: number
}

const insert = sql<OutboxRow>`
  insert into outbox (topic, message_key, message_id, type, headers, payload, time_ms, bytes)
  values (${'topic'}, ${'key'}, ${'id'}, ${'type'}, ${'headers'}, ${'payload'}, ${'timeMs'}, ${'bytes'})`

/** Makes the outbox of one database. Its tables come from {@link outboxMigration}. */
export function createOutbox(options: OutboxOptions = {}): Outbox {
  const limits = resolveLimits(options.limits)
  const listeners = new Set<() => void>()
  const announce = () => {
    for (const listener of listeners) listener()
  }
  return {
    async add(tx, messages) {
      if (messages.length === 0) return
      const common = options.headers?.()
      const complete = common ? messages.map((m) => ({ ...m, headers: { ...common, ...m.headers } })) : messages
      checkMessages(complete, limits)
      for (const message of complete) {
        const { topic, key, id, type, payload, timeMs } = message
        const headers = JSON.stringify(message.headers)
        // One row after the other: their sequence numbers are their order.
        await tx.run(insert, { topic, key, id, type, headers, payload, timeMs, bytes: payload.length + headers.length })
      }
      tx.afterCommit(announce)
    },
    onCommitted(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

/** Creates the tables of the outbox (`outbox`, and `outbox_lease` on PostgreSQL). Give it the id your list needs. */
export const outboxMigration: { readonly id: string; readonly up: Readonly<Record<SqlDialectName, string>> } = {
  id: '0001_outbox',
  up: {
    sqlite: `
      create table outbox (
        seq integer primary key,
        topic text not null, message_key text not null, message_id text not null, type text not null,
        headers text not null, payload blob not null, time_ms integer not null, bytes integer not null
      ) strict;`,
    postgres: `
      create table outbox (
        seq bigint generated always as identity primary key,
        topic text not null, message_key text not null, message_id text not null, type text not null,
        headers text not null, payload bytea not null, time_ms bigint not null, bytes bigint not null
      );
      create table outbox_lease (name text primary key, holder text not null, until_ms bigint not null);`,
  },
}
