import type { Secret } from '@plinth/base'
import type { Email } from '../domain/email.ts'
import type { IdentityEvent } from '../domain/events.ts'
import type { RefreshToken, Session, SessionPolicy } from '../domain/session.ts'
import type { ThrottlePolicy, ThrottleState } from '../domain/throttle.ts'
import type { Role, User } from '../domain/user.ts'

/** A token that was mailed to confirm an address, kept by its hash. */
export interface Verification {
  readonly hash: string
  readonly userId: string
  readonly expiresAtMs: number
  readonly usedAtMs: number | undefined
}

export interface UserQuery {
  readonly role: Role | undefined
  /** Normal form, lower case. */
  readonly emailPrefix: string
  /** Only users with a greater id. */
  readonly afterId: string
  readonly limit: number
}

/** What can be asked inside one consistent view of the store. */
export interface IdentityReader {
  userById(userId: string): Promise<User | undefined>
  userByEmail(email: Email): Promise<User | undefined>
  /** In the order of their ids, which is that of their creation. */
  listUsers(query: UserQuery): Promise<readonly User[]>
  countOperators(): Promise<number>
  sessionById(sessionId: string): Promise<Session | undefined>
  /** The sessions of a user that are live at `nowMs`, newest first. */
  liveSessions(userId: string, nowMs: number): Promise<readonly Session[]>
  /** Sessions revoked after `sinceMs`, the latest `limit` of them. */
  revokedSince(
    sinceMs: number,
    limit: number,
  ): Promise<readonly { readonly sessionId: string; readonly atMs: number }[]>
  refreshToken(hash: string): Promise<RefreshToken | undefined>
  verification(hash: string): Promise<Verification | undefined>
  throttle(key: string): Promise<ThrottleState | undefined>
}

/** What can be done inside one unit of work. All of it commits or none. */
export interface IdentityWriter extends IdentityReader {
  insertUser(user: User): Promise<void>
  /** Replaces the user of the same id. */
  saveUser(user: User): Promise<void>
  /** Removes the user with all sessions, tokens and verifications. */
  deleteUser(userId: string): Promise<void>
  insertSession(session: Session): Promise<void>
  /** Replaces the session of the same id. */
  saveSession(session: Session): Promise<void>
  /** Adds an active token. */
  insertRefreshToken(token: Pick<RefreshToken, 'hash' | 'sessionId' | 'issuedAtMs'>): Promise<void>
  /** Marks an active token as exchanged. */
  rotateRefreshToken(hash: string, rotated: { readonly atMs: number; readonly successor: Uint8Array }): Promise<void>
  insertVerification(verification: Verification): Promise<void>
  markVerified(hash: string, atMs: number): Promise<void>
  /** Removes the verifications of a user that were not used. */
  dropVerifications(userId: string): Promise<void>
  /** Sets the state of a key, or removes it. */
  saveThrottle(key: string, state: ThrottleState | undefined): Promise<void>
  /** Tells others, once the unit has committed. */
  announce(events: readonly IdentityEvent[]): Promise<void>
  /**
   * Runs a command at most once per key: a repeat gets the stored result, and `work` does not run. Results are kept as
   * they are, so they never hold a secret.
   *
   * @throws PlatformError `data.idempotency_mismatch` when the key was used for another request.
   */
  once(command: Command, work: () => Promise<Uint8Array>): Promise<Uint8Array>
}

/** A command with the key its caller gave it. */
export interface Command {
  /** Method and caller: two callers never share a key. */
  readonly scope: string
  readonly key: string
  /** Digest of the request without its secrets. */
  readonly fingerprint: string
}

/** Where accounts and sessions are kept. */
export interface IdentityStore {
  read<T>(work: (tx: IdentityReader) => Promise<T>): Promise<T>
  /** Serialisable and durable. The work may run again after a lost race, so it acts through `tx` alone. */
  write<T>(work: (tx: IdentityWriter) => Promise<T>): Promise<T>
  /** Removes what has had its time, at most `rowsMax` of each kind. Answers how many rows went. */
  sweep(times: SweepTimes, rowsMax: number): Promise<number>
}

export interface SweepTimes {
  readonly nowMs: number
  /** Sessions that ended before go, with their tokens. */
  readonly sessionsEndedBeforeMs: number
  /** Exchanged refresh tokens older than that are forgotten: presented again they are merely unknown. */
  readonly tokensRotatedBeforeMs: number
  readonly throttlesBeforeMs: number
  readonly answersBeforeMs: number
}

export interface OperatorCredentials {
  readonly email: string
  readonly password: Secret
}

export interface Mail {
  readonly to: Email
  readonly subject: string
  /** May hold a token: it goes nowhere but into the mail. */
  readonly text: Secret
}

/** Delivers mail. */
export interface Mailer {
  /** Resolves when the mail is in safe hands. @throws PlatformError when it is not. */
  send(mail: Mail): Promise<void>
}

/** Takes mail and delivers it later, so that no answer's time depends on it. Never throws; drops when full. */
export interface Outgoing {
  post(mail: Mail): void
}

/** Hashes and checks passwords; `PasswordHasher` of the security package. */
export interface Passwords {
  hash(password: Secret): Promise<string>
  /** With `undefined` for a hash it takes as long and says no. */
  verify(
    password: Secret,
    stored: string | undefined,
  ): Promise<{ readonly matches: boolean; readonly needsRehash: boolean }>
}

/** Opaque tokens: what is given out, what is stored, and what only the holder can read. */
export interface OpaqueTokens {
  create(prefix: 'rt' | 'ev'): Secret
  hash(token: Secret): string
  seal(token: Secret, plain: Uint8Array): Uint8Array
  /** @throws PlatformError when it was sealed for another token. */
  open(token: Secret, sealed: Uint8Array): Uint8Array
}

export interface AccessTokens {
  /** The same claims give the same token. */
  sign(claims: {
    readonly subject: string
    readonly sessionId: string
    readonly roles: readonly string[]
    readonly tokenId: string
    readonly issuedAtMs: number
  }): Promise<{ readonly token: Secret; readonly expiresAtMs: number }>
}

/** Hears how security matters went, for figures and the log. */
export interface Observer {
  count(what: 'register' | 'login' | 'refresh' | 'verify', outcome: string): void
  /** A session ended because a refresh token came back. */
  reused(session: Session): void
}

export interface Settings {
  readonly session: SessionPolicy
  readonly sessionsMax: number
  readonly accountThrottle: ThrottlePolicy
  readonly addressThrottle: ThrottlePolicy
  readonly mailThrottle: ThrottlePolicy
  readonly verificationMs: number
  readonly verification: 'required' | 'optional'
  /** How long access tokens live, and so how long a revocation matters. */
  readonly accessMs: number
}

/** All that the use cases work with. */
export interface IdentityDeps {
  readonly store: IdentityStore
  readonly passwords: Passwords
  readonly tokens: OpaqueTokens
  readonly access: AccessTokens
  readonly mail: Outgoing
  readonly observer: Observer
  readonly clock: { nowMs(): number }
  readonly ids: { next(): string }
  readonly settings: () => Settings
}
