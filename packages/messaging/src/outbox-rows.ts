import { perDialect, type SqlReader, type SqlStore, sql } from '@plinth/data'
import type { NewMessage } from './bus.ts'
import type { MessagingTx } from './outbox.ts'

/** The part of a store that the relay needs; every `SqlStore` has it. */
export interface RelayStore extends Pick<SqlStore<unknown>, 'dialect'> {
  read<T>(work: (tx: Pick<SqlReader<unknown>, 'all'>) => Promise<T>): Promise<T>
  write<T>(work: (tx: MessagingTx & Pick<SqlReader<unknown>, 'get'>) => Promise<T>): Promise<T>
}

/** A message in the outbox with its place in it. */
export interface OutboxRow {
  readonly seq: number
  readonly message: NewMessage
}

interface Stored {
  readonly seq: number
  readonly topic: string
  readonly message_key: string
  readonly message_id: string
  readonly type: string
  readonly headers: string
  readonly payload: Uint8Array
  readonly time_ms: number
}

interface BatchBounds {
  readonly batchMessages: number
  readonly batchBytes: number
}

// The inner query looks at sizes only, so that a backlog of large payloads is never loaded beyond the batch.
const oldest = sql<BatchBounds, Stored>`
  select o.seq, o.topic, o.message_key, o.message_id, o.type, o.headers, o.payload, o.time_ms
  from outbox o
  join (
    select seq, sum(bytes) over (order by seq) - bytes as bytes_before
    from (select seq, bytes from outbox order by seq limit ${'batchMessages'}) first_rows
  ) sized on sized.seq = o.seq
  where sized.bytes_before < ${'batchBytes'}
  order by o.seq`

// On SQLite units of work run one after the other, so nothing can appear between two sequence numbers later. On
// PostgreSQL it can: only the rows that were published may go.
const remove = perDialect({
  sqlite: sql<{ first: number; last: number; seqs: string }>`
    delete from outbox where seq between ${'first'} and ${'last'}`,
  postgres: sql<{ first: number; last: number; seqs: string }>`
    delete from outbox
    where seq in (select cast(value as bigint) from json_array_elements_text(cast(${'seqs'} as json)))`,
})

/** The oldest messages that fit into one batch, in order. At least one if there is any. */
export async function fetchRows(store: RelayStore, bounds: BatchBounds): Promise<readonly OutboxRow[]> {
  const { batchMessages, batchBytes } = bounds
  const rows = await store.read((tx) => tx.all(oldest, { batchMessages, batchBytes }))
  return rows.map((row) => ({
    seq: row.seq,
    message: {
      topic: row.topic,
      key: row.message_key,
      id: row.message_id,
      type: row.type,
      headers: JSON.parse(row.headers),
      payload: row.payload,
      timeMs: row.time_ms,
    },
  }))
}

/** Removes published messages in one unit of work. */
export async function removeRows(store: RelayStore, rows: readonly OutboxRow[]): Promise<void> {
  const seqs = rows.map((row) => row.seq)
  const params = { first: seqs[0] as number, last: seqs.at(-1) as number, seqs: JSON.stringify(seqs) }
  await store.write((tx) => tx.run(remove, params))
}
