import { type SqlDialectName, sql } from '@plinth/data'
import type { MessagingTx } from './outbox.ts'

/** Remembers which messages a group has handled, so that handling one twice has the effect of once. */
export interface Inbox {
  /**
   * Notes the message as handled by the group, in the caller's unit of work. Answers false when it was noted before:
   * then do nothing and acknowledge. Two units racing with one message: one of them gets true, the other waits and
   * gets false.
   */
  firstTime(
    tx: Pick<MessagingTx, 'run'>,
    seen: { readonly group: string; readonly messageId: string; readonly nowMs: number },
  ): Promise<boolean>
  /**
   * Forgets up to `rowsMax` messages noted before `beforeMs`; answers how many. Keep them longer than a message can
   * come again: longer than the bus retains, and than dead letters wait for their replay.
   */
  sweep(tx: Pick<MessagingTx, 'run'>, before: { readonly beforeMs: number; readonly rowsMax: number }): Promise<number>
}

const note = sql<{ group: string; messageId: string; nowMs: number }>`
  insert into inbox (consumer, message_id, seen_at_ms) values (${'group'}, ${'messageId'}, ${'nowMs'})
  on conflict (consumer, message_id) do nothing`

const forget = sql<{ beforeMs: number; rowsMax: number }>`
  delete from inbox where (consumer, message_id) in
    (select consumer, message_id from inbox where seen_at_ms < ${'beforeMs'} limit ${'rowsMax'})`

/** The inbox. It holds nothing itself: its table comes from {@link inboxMigration}. */
export const inbox: Inbox = {
  async firstTime(tx, seen) {
    return (await tx.run(note, seen)).changes === 1
  },
  async sweep(tx, before) {
    if (!(before.rowsMax >= 1)) throw new RangeError(`Cannot sweep ${before.rowsMax} rows: rowsMax is at least 1`)
    return (await tx.run(forget, before)).changes
  },
}

/** Creates the table of the inbox. Give it the id your list needs. */
export const inboxMigration: { readonly id: string; readonly up: Readonly<Record<SqlDialectName, string>> } = {
  id: '0002_inbox',
  up: {
    sqlite: `
      create table inbox (
        consumer text not null, message_id text not null, seen_at_ms integer not null,
        primary key (consumer, message_id)
      ) strict, without rowid;
      create index inbox_seen on inbox (seen_at_ms);`,
    postgres: `
      create table inbox (
        consumer text not null, message_id text not null, seen_at_ms bigint not null,
        primary key (consumer, message_id)
      );
      create index inbox_seen on inbox (seen_at_ms);`,
  },
}
