import { hash } from 'node:crypto'
import { PlatformError } from '@plinth/base'
import type { Migration } from './migrations.ts'
import type { StatementReader, StatementWriter } from './sql-store.ts'
import { sql } from './statement.ts'

/**
 * The table behind {@link idempotent}. Put it among the migrations of a service, under the id it gives.
 *
 * Keys come from callers and are random, so an index over them writes to a page of its own for every command. It holds
 * 16 bytes of a digest for that reason, and everything long is appended: on SQLite that is less than half of the pages
 * and of the time.
 */
export function idempotencyMigration(id: string): Migration {
  return {
    id,
    up: {
      sqlite: `
        create table plinth_idempotency (
          seq integer primary key,
          digest blob not null unique,
          fingerprint text not null,
          answer blob not null,
          created_ms integer not null
        ) strict;`,
      postgres: `
        create table plinth_idempotency (
          seq bigint generated always as identity primary key,
          digest bytea not null unique,
          fingerprint text not null,
          answer bytea not null,
          created_ms bigint not null
        );`,
    },
  }
}

/** One command, as its caller names it. */
export interface IdempotentCommand {
  /** Who asks what: method and principal, so that two callers never share a key. Up to 255 characters. */
  readonly scope: string
  /** The caller's idempotency key. Up to 255 characters. */
  readonly key: string
  /** A digest of the request: the same key with another request is a mistake of the caller. */
  readonly fingerprint: string
  readonly nowMs: number
}

/** The answer of a command, and whether it is the stored one. */
export interface IdempotentAnswer {
  readonly answer: Uint8Array
  readonly replayed: boolean
}

type NamedCommand = Pick<IdempotentCommand, 'scope' | 'key' | 'fingerprint'>

interface Stored {
  readonly fingerprint: string
  readonly answer: Uint8Array
}

/** As long as an `Idempotency-Key` header may be. */
const textMax = 255

const select = sql<{ digest: Uint8Array }, Stored>`
  select fingerprint, answer from plinth_idempotency where digest = ${'digest'}`
const insert = sql<{ digest: Uint8Array; fingerprint: string; answer: Uint8Array; nowMs: number }>`
  insert into plinth_idempotency (digest, fingerprint, answer, created_ms)
  values (${'digest'}, ${'fingerprint'}, ${'answer'}, ${'nowMs'})`
// Rows are appended in the order of time, so only the oldest have to be looked at.
const sweep = sql<{ beforeMs: number; rowsMax: number }>`
  delete from plinth_idempotency where seq in (
    select seq from (select seq, created_ms from plinth_idempotency order by seq limit ${'rowsMax'}) as oldest
    where created_ms < ${'beforeMs'}
  )`

/**
 * Runs a command once: the answer is stored in the transaction that does the work, and whoever repeats the command
 * gets that answer and no second effect. Two that race are serialised by the store; a refused or failed command
 * stores nothing and may be repeated.
 *
 * @throws PlatformError `data.idempotency_mismatch` when the key was used for another request;
 * `data.idempotency_key` when scope or key is empty or longer than 255 characters.
 */
export async function idempotent(
  tx: StatementWriter,
  command: IdempotentCommand,
  work: () => Promise<Uint8Array>,
): Promise<IdempotentAnswer> {
  const { fingerprint, nowMs } = command
  const digest = digestOf(command)
  const stored = await find(tx, { digest, command })
  if (stored) return { answer: stored, replayed: true }
  const answer = await work()
  await tx.run(insert, { digest, fingerprint, answer, nowMs })
  return { answer, replayed: false }
}

/**
 * The stored answer of a command, if it was carried out before. For a look ahead of work that happens outside the
 * unit; {@link idempotent} still decides.
 *
 * @throws PlatformError as {@link idempotent} does.
 */
export async function findAnswer(tx: StatementReader, command: NamedCommand): Promise<Uint8Array | undefined> {
  return await find(tx, { digest: digestOf(command), command })
}

/**
 * Forgets answers stored before `beforeMs`, at most `rowsMax` of them (1 to 10,000) so that no other unit waits
 * long. Call it again while it returns `rowsMax`.
 *
 * @returns how many were forgotten.
 */
export async function sweepIdempotency(
  tx: StatementWriter,
  bounds: { readonly beforeMs: number; readonly rowsMax: number },
): Promise<number> {
  const { rowsMax } = bounds
  if (!(Number.isInteger(rowsMax) && rowsMax >= 1 && rowsMax <= 10_000)) {
    throw new RangeError(`Cannot sweep ${rowsMax} rows at once: rowsMax is an integer from 1 to 10000`)
  }
  const { changes } = await tx.run(sweep, bounds)
  return changes
}

async function find(
  tx: StatementReader,
  { digest, command }: { readonly digest: Uint8Array; readonly command: NamedCommand },
): Promise<Uint8Array | undefined> {
  const stored = await tx.get(select, { digest })
  if (stored && stored.fingerprint !== command.fingerprint) throw mismatch(command.key)
  return stored?.answer
}

/** 128 bits of SHA-256: two keys that meet by chance are not to be expected in the age of the universe. */
function digestOf({ scope, key }: NamedCommand): Uint8Array {
  checkText('scope', scope)
  checkText('key', key)
  return hash('sha256', `${scope.length}:${scope}${key}`, 'buffer').subarray(0, 16)
}

function checkText(name: 'scope' | 'key', text: string): void {
  if (text.length >= 1 && text.length <= textMax) return
  throw new PlatformError(`Cannot accept the idempotency ${name}: it has 1 to ${textMax} characters`, {
    kind: 'invalid',
    code: 'data.idempotency_key',
  })
}

function mismatch(key: string): PlatformError {
  return new PlatformError('Cannot repeat the command: its idempotency key was used for another request', {
    kind: 'precondition',
    code: 'data.idempotency_mismatch',
    details: { key },
  })
}
