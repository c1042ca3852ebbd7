import { type SqlValue, type Statement, sql } from '@plinth/data'
import type { RefreshTokenRow, SessionRow, ThrottleRow, UserRow, VerificationRow } from './identity-schema.ts'

type Values<Row> = { readonly [K in keyof Row]: Row[K] extends SqlValue ? Row[K] : never }

export const userById = sql<{ userId: string }, UserRow>`select * from account where user_id = ${'userId'}`
export const userByEmail = sql<{ email: string }, UserRow>`select * from account where email = ${'email'}`
export const operatorCount = sql<Record<never, never>, { found: number }>`
  select count(*) as found from account where roles in ('operator', 'customer,operator')`

export const insertUser: Statement<Values<UserRow>, unknown> = sql<Values<UserRow>>`
  insert into account
    (user_id, email, is_verified, display_name, roles, password_hash, created_at_ms, updated_at_ms, version)
  values (${'user_id'}, ${'email'}, ${'is_verified'}, ${'display_name'}, ${'roles'}, ${'password_hash'},
    ${'created_at_ms'}, ${'updated_at_ms'}, ${'version'})`
export const saveUser = sql<Values<UserRow>>`
  update account set email = ${'email'}, is_verified = ${'is_verified'}, display_name = ${'display_name'},
    roles = ${'roles'}, password_hash = ${'password_hash'}, updated_at_ms = ${'updated_at_ms'}, version = ${'version'}
  where user_id = ${'user_id'}`

/** All that hangs on a user, dependants first. */
export const deleteUser = [
  sql<{ userId: string }>`
    delete from refresh_token where session_id in (select session_id from session where user_id = ${'userId'})`,
  sql<{ userId: string }>`delete from verification where user_id = ${'userId'}`,
  sql<{ userId: string }>`delete from account where user_id = ${'userId'}`,
] as const
/** What is left of a session is its revocation, until its access tokens have died; nothing personal stays. */
export const anonymizeSessions = sql<{ userId: string }>`
  update session set device_name = '', user_agent = '', address = '' where user_id = ${'userId'}`

export const sessionById = sql<{ sessionId: string }, SessionRow>`
  select * from session where session_id = ${'sessionId'}`
export const liveSessions = sql<{ userId: string; nowMs: number }, SessionRow>`
  select * from session
  where user_id = ${'userId'} and revoked_at_ms is null and idle_until_ms > ${'nowMs'} and ends_at_ms > ${'nowMs'}
  order by session_id desc`
export const revokedSince = sql<{ sinceMs: number; limit: number }, { session_id: string; revoked_at_ms: number }>`
  select session_id, revoked_at_ms from session where revoked_at_ms > ${'sinceMs'}
  order by revoked_at_ms desc limit ${'limit'}`
export const insertSession = sql<Values<SessionRow>>`
  insert into session (session_id, user_id, device_name, user_agent, address, created_at_ms, last_used_at_ms,
    idle_until_ms, ends_at_ms, rotations, repeats, revoked_at_ms, revoked_for)
  values (${'session_id'}, ${'user_id'}, ${'device_name'}, ${'user_agent'}, ${'address'}, ${'created_at_ms'},
    ${'last_used_at_ms'}, ${'idle_until_ms'}, ${'ends_at_ms'}, ${'rotations'}, ${'repeats'}, ${'revoked_at_ms'},
    ${'revoked_for'})`
export const saveSession = sql<Values<SessionRow>>`
  update session set user_agent = ${'user_agent'}, address = ${'address'}, last_used_at_ms = ${'last_used_at_ms'},
    idle_until_ms = ${'idle_until_ms'}, rotations = ${'rotations'}, repeats = ${'repeats'},
    revoked_at_ms = ${'revoked_at_ms'}, revoked_for = ${'revoked_for'}
  where session_id = ${'session_id'}`

export const refreshToken = sql<{ hash: string }, RefreshTokenRow>`select * from refresh_token where hash = ${'hash'}`
export const insertRefreshToken = sql<{ hash: string; sessionId: string; issuedAtMs: number }>`
  insert into refresh_token (hash, session_id, issued_at_ms) values (${'hash'}, ${'sessionId'}, ${'issuedAtMs'})`
export const rotateRefreshToken = sql<{ hash: string; atMs: number; successor: Uint8Array }>`
  update refresh_token set rotated_at_ms = ${'atMs'}, successor = ${'successor'}
  where hash = ${'hash'} and rotated_at_ms is null`

export const verification = sql<{ hash: string }, VerificationRow>`select * from verification where hash = ${'hash'}`
export const insertVerification = sql<{ hash: string; userId: string; expiresAtMs: number }>`
  insert into verification (hash, user_id, expires_at_ms) values (${'hash'}, ${'userId'}, ${'expiresAtMs'})`
export const markVerified = sql<{ hash: string; atMs: number }>`
  update verification set used_at_ms = ${'atMs'} where hash = ${'hash'}`
export const dropVerifications = sql<{ userId: string }>`
  delete from verification where user_id = ${'userId'} and used_at_ms is null`

export const throttle = sql<{ key: string }, ThrottleRow>`select * from throttle where throttle_key = ${'key'}`
export const saveThrottle = sql<{ key: string; failures: number; lastAtMs: number; lockedUntilMs: number }>`
  insert into throttle (throttle_key, failures, last_at_ms, locked_until_ms)
  values (${'key'}, ${'failures'}, ${'lastAtMs'}, ${'lockedUntilMs'})
  on conflict (throttle_key) do update set failures = excluded.failures, last_at_ms = excluded.last_at_ms,
    locked_until_ms = excluded.locked_until_ms`
export const dropThrottle = sql<{ key: string }>`delete from throttle where throttle_key = ${'key'}`

interface Bite {
  readonly beforeMs: number
  readonly rowsMax: number
}

export const overSessions = sql<Bite, { session_id: string }>`
  select session_id from session
  where revoked_at_ms < ${'beforeMs'} or idle_until_ms < ${'beforeMs'} or ends_at_ms < ${'beforeMs'}
  limit ${'rowsMax'}`
export const dropTokensOfSession = sql<{ sessionId: string }>`
  delete from refresh_token where session_id = ${'sessionId'}`
export const dropSession = sql<{ sessionId: string }>`delete from session where session_id = ${'sessionId'}`
export const dropSpentTokens = sql<Bite>`
  delete from refresh_token where hash in
    (select hash from refresh_token where rotated_at_ms < ${'beforeMs'} limit ${'rowsMax'})`
export const dropOldVerifications = sql<Bite>`
  delete from verification where hash in
    (select hash from verification where expires_at_ms < ${'beforeMs'} limit ${'rowsMax'})`
export const dropOldThrottles = sql<Bite>`
  delete from throttle where throttle_key in
    (select throttle_key from throttle where last_at_ms < ${'beforeMs'} limit ${'rowsMax'})`
