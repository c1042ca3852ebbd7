import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import {
  type Session as SessionMessage,
  SessionSchema,
  type Tokens,
  TokensSchema,
  type User as UserMessage,
  UserSchema,
} from '../../contract/index.ts'
import { expiryOf, type Session } from '../domain/session.ts'
import type { User } from '../domain/user.ts'
import type { IssuedTokens } from '../usecases/issue-tokens.ts'

/** The account as the contract shows it: without the hash of its password. */
export function toUserMessage(user: User): UserMessage {
  return create(UserSchema, {
    id: user.userId,
    email: user.email,
    emailVerified: user.isVerified,
    displayName: user.displayName,
    roles: [...user.roles],
    createdAt: timestampFromMs(user.createdAtMs),
    updatedAt: timestampFromMs(user.updatedAtMs),
    etag: etagOf(user.version),
  })
}

export function toSessionMessage(session: Session, currentId: string | undefined): SessionMessage {
  const { sessionId, deviceName, userAgent, address } = session
  return create(SessionSchema, {
    id: sessionId,
    current: sessionId === currentId,
    deviceName,
    userAgent,
    address,
    createdAt: timestampFromMs(session.createdAtMs),
    lastUsedAt: timestampFromMs(session.lastUsedAtMs),
    expiresAt: timestampFromMs(expiryOf(session)),
    rotations: BigInt(session.rotations),
    repeats: BigInt(session.repeats),
  })
}

export function toTokensMessage(issued: IssuedTokens): Tokens {
  const { sessionId, userId } = issued
  return create(TokensSchema, {
    accessToken: issued.accessToken.reveal(),
    tokenType: 'Bearer',
    accessExpiresAt: timestampFromMs(issued.accessExpiresAtMs),
    refreshToken: issued.refreshToken.reveal(),
    refreshExpiresAt: timestampFromMs(issued.refreshExpiresAtMs),
    sessionId,
    userId,
  })
}

/** A strong entity tag (RFC 9110, section 8.8.3). */
export function etagOf(version: number): string {
  return `"${version}"`
}

const etagPattern = /^"([1-9]\d{0,15})"$/

/** The version of a tag; undefined for no tag, 0 (which no user has) for one that we never gave. */
export function versionOf(etag: string): number | undefined {
  if (etag === '') return undefined
  return Number(etagPattern.exec(etag)?.[1] ?? 0)
}
