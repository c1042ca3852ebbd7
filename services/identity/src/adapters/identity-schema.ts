import { idempotencyMigration, type Migration } from '@plinth/data'
import { outboxMigration } from '@plinth/messaging'

/** The rows of the identity store. Times are epoch milliseconds, booleans 0 or 1. */
export interface UserRow {
  user_id: string
  email: string
  is_verified: number
  display_name: string
  roles: string
  password_hash: string
  created_at_ms: number
  updated_at_ms: number
  version: number
}

export interface SessionRow {
  session_id: string
  user_id: string
  device_name: string
  user_agent: string
  address: string
  created_at_ms: number
  last_used_at_ms: number
  idle_until_ms: number
  ends_at_ms: number
  rotations: number
  repeats: number
  revoked_at_ms: number | null
  revoked_for: string | null
}

export interface RefreshTokenRow {
  hash: string
  session_id: string
  issued_at_ms: number
  rotated_at_ms: number | null
  successor: Uint8Array | null
}

export interface VerificationRow {
  hash: string
  user_id: string
  expires_at_ms: number
  used_at_ms: number | null
}

export interface ThrottleRow {
  throttle_key: string
  failures: number
  last_at_ms: number
  locked_until_ms: number
}

export interface IdentitySchema {
  account: UserRow
  session: SessionRow
  refresh_token: RefreshTokenRow
  verification: VerificationRow
  throttle: ThrottleRow
}

function tables(bytes: 'blob' | 'bytea'): string {
  return `
    create table account (
      user_id text primary key,
      email text not null unique,
      is_verified integer not null,
      display_name text not null,
      roles text not null,
      password_hash text not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      version bigint not null
    );
    create table session (
      session_id text primary key,
      user_id text not null,
      device_name text not null,
      user_agent text not null,
      address text not null,
      created_at_ms bigint not null,
      last_used_at_ms bigint not null,
      idle_until_ms bigint not null,
      ends_at_ms bigint not null,
      rotations bigint not null,
      repeats bigint not null,
      revoked_at_ms bigint,
      revoked_for text
    );
    create index session_of_user on session (user_id);
    create index session_idle on session (idle_until_ms);
    create index session_revoked on session (revoked_at_ms) where revoked_at_ms is not null;
    create table refresh_token (
      hash text primary key,
      session_id text not null,
      issued_at_ms bigint not null,
      rotated_at_ms bigint,
      successor ${bytes}
    );
    create index refresh_token_session on refresh_token (session_id);
    create index refresh_token_rotated on refresh_token (rotated_at_ms) where rotated_at_ms is not null;
    create table verification (
      hash text primary key,
      user_id text not null,
      expires_at_ms bigint not null,
      used_at_ms bigint
    );
    create index verification_user on verification (user_id);
    create index verification_age on verification (expires_at_ms);
    create table throttle (
      throttle_key text primary key,
      failures bigint not null,
      last_at_ms bigint not null,
      locked_until_ms bigint not null
    );
    create index throttle_age on throttle (last_at_ms);`
}

/** Everything the identity store keeps, oldest change first. */
export const identityMigrations: readonly Migration[] = [
  idempotencyMigration('0001_idempotency'),
  { id: '0002_outbox', up: outboxMigration.up },
  { id: '0003_identity', up: { sqlite: tables('blob'), postgres: tables('bytea') } },
]
