import type { Email } from '../domain/email.ts'
import type { RefreshToken, Session, SessionEndReason } from '../domain/session.ts'
import type { ThrottleState } from '../domain/throttle.ts'
import type { Role, User } from '../domain/user.ts'
import type { Verification } from '../usecases/ports.ts'
import type { RefreshTokenRow, SessionRow, ThrottleRow, UserRow, VerificationRow } from './identity-schema.ts'

export function userToRow(user: User): UserRow {
  return {
    user_id: user.userId,
    email: user.email,
    is_verified: user.isVerified ? 1 : 0,
    display_name: user.displayName,
    roles: user.roles.join(','),
    password_hash: user.passwordHash,
    created_at_ms: user.createdAtMs,
    updated_at_ms: user.updatedAtMs,
    version: user.version,
  }
}

export function userFromRow(row: UserRow): User {
  return {
    userId: row.user_id,
    email: row.email as Email,
    isVerified: row.is_verified === 1,
    displayName: row.display_name,
    roles: row.roles.split(',') as Role[],
    passwordHash: row.password_hash,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
  }
}

export function sessionToRow(session: Session): SessionRow {
  return {
    session_id: session.sessionId,
    user_id: session.userId,
    device_name: session.deviceName,
    user_agent: session.userAgent,
    address: session.address,
    created_at_ms: session.createdAtMs,
    last_used_at_ms: session.lastUsedAtMs,
    idle_until_ms: session.idleUntilMs,
    ends_at_ms: session.endsAtMs,
    rotations: session.rotations,
    repeats: session.repeats,
    revoked_at_ms: session.revokedAtMs ?? null,
    revoked_for: session.revokedFor ?? null,
  }
}

export function sessionFromRow(row: SessionRow): Session {
  return {
    sessionId: row.session_id,
    userId: row.user_id,
    deviceName: row.device_name,
    userAgent: row.user_agent,
    address: row.address,
    createdAtMs: row.created_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
    idleUntilMs: row.idle_until_ms,
    endsAtMs: row.ends_at_ms,
    rotations: row.rotations,
    repeats: row.repeats,
    revokedAtMs: row.revoked_at_ms ?? undefined,
    revokedFor: (row.revoked_for as SessionEndReason | null) ?? undefined,
  }
}

export function refreshTokenFromRow(row: RefreshTokenRow): RefreshToken {
  return {
    hash: row.hash,
    sessionId: row.session_id,
    issuedAtMs: row.issued_at_ms,
    rotatedAtMs: row.rotated_at_ms ?? undefined,
    successor: row.successor ?? undefined,
  }
}

export function verificationFromRow(row: VerificationRow): Verification {
  return {
    hash: row.hash,
    userId: row.user_id,
    expiresAtMs: row.expires_at_ms,
    usedAtMs: row.used_at_ms ?? undefined,
  }
}

export function throttleFromRow(row: ThrottleRow): ThrottleState {
  return { failures: row.failures, lastAtMs: row.last_at_ms, lockedUntilMs: row.locked_until_ms }
}
