/** Why a session ended before its time. */
export type SessionEndReason =
  | 'revoked'
  | 'logout'
  | 'refresh_reused'
  | 'password_changed'
  | 'roles_changed'
  | 'user_deleted'
  | 'displaced'

/** One login of one user on one device, and everything that follows from it. */
export interface Session {
  readonly sessionId: string
  readonly userId: string
  readonly deviceName: string
  readonly userAgent: string
  readonly address: string
  readonly createdAtMs: number
  readonly lastUsedAtMs: number
  /** Not used until then, it is over. */
  readonly idleUntilMs: number
  /** However much it is used, it is over then. */
  readonly endsAtMs: number
  /** Refresh tokens exchanged. */
  readonly rotations: number
  /** Exchanged tokens answered again inside the grace window. */
  readonly repeats: number
  readonly revokedAtMs: number | undefined
  readonly revokedFor: SessionEndReason | undefined
}

/** A refresh token as it is kept: by its hash. */
export interface RefreshToken {
  readonly hash: string
  readonly sessionId: string
  readonly issuedAtMs: number
  /** When it was exchanged; undefined for the newest token of its session. */
  readonly rotatedAtMs: number | undefined
  /** Its successor, readable only with the token itself; there since it was exchanged. */
  readonly successor: Uint8Array | undefined
}

export interface SessionPolicy {
  readonly idleMs: number
  readonly lifetimeMs: number
  /** How long an exchanged refresh token is answered with its successor again. */
  readonly graceMs: number
}

export type RefreshRefusal =
  | { readonly refused: 'refresh_unknown' }
  | { readonly refused: 'session_over' }
  /** The session must end: two hold its tokens, and one of them is a thief. */
  | { readonly refused: 'refresh_reused' }

/** What to do with a refresh token that is presented. */
export type RefreshDecision =
  | { readonly next: 'rotate'; readonly session: Session }
  | { readonly next: 'repeat'; readonly session: Session; readonly successor: Uint8Array }
  | RefreshRefusal

export interface PresentedToken {
  readonly token: RefreshToken
  readonly session: Session
}

/**
 * Decides about a presented refresh token: `active → rotated → (grace over) spent`. An active one is exchanged. An
 * exchanged one is answered with the very same successor while the window is open, whoever else asked before, so
 * parallel calls and lost answers are harmless and no second chain can begin. After that it is proof of theft.
 */
export function decideRefresh(
  { token, session }: PresentedToken,
  { nowMs, policy }: { readonly nowMs: number; readonly policy: SessionPolicy },
): RefreshDecision {
  if (!isLive(session, nowMs)) return { refused: 'session_over' }
  if (token.rotatedAtMs === undefined) return { next: 'rotate', session: used(session, { nowMs, policy }) }
  if (token.successor && nowMs <= token.rotatedAtMs + policy.graceMs) {
    return { next: 'repeat', session: { ...session, repeats: session.repeats + 1 }, successor: token.successor }
  }
  return { refused: 'refresh_reused' }
}

function isLive(session: Session, nowMs: number): boolean {
  return session.revokedAtMs === undefined && nowMs < expiryOf(session)
}

/** When the session ends if it is not used again. */
export function expiryOf(session: Session): number {
  return Math.min(session.idleUntilMs, session.endsAtMs)
}

export function endSession(
  session: Session,
  { nowMs, reason }: { readonly nowMs: number; readonly reason: SessionEndReason },
): Session {
  return session.revokedAtMs === undefined ? { ...session, revokedAtMs: nowMs, revokedFor: reason } : session
}

/** Which sessions must make room so that one more stays within the limit: those used longest ago. */
export function displacedBy(sessions: readonly Session[], sessionsMax: number): readonly Session[] {
  const byUse = sessions.toSorted((a, b) => a.lastUsedAtMs - b.lastUsedAtMs)
  return byUse.slice(0, Math.max(0, sessions.length + 1 - sessionsMax))
}

function used(
  session: Session,
  { nowMs, policy }: { readonly nowMs: number; readonly policy: SessionPolicy },
): Session {
  return {
    ...session,
    lastUsedAtMs: Math.max(nowMs, session.lastUsedAtMs),
    idleUntilMs: nowMs + policy.idleMs,
    rotations: session.rotations + 1,
  }
}
