import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { NewMessage } from '@plinth/messaging'
import {
  identityTopic,
  RolesChangedSchema,
  SessionEnd,
  SessionRevokedSchema,
  SessionStartedSchema,
  UserDeletedSchema,
  UserRegisteredSchema,
  UserVerifiedSchema,
} from '../../contract/index.ts'
import type { IdentityEvent } from '../domain/events.ts'
import type { SessionEndReason } from '../domain/session.ts'

const ends = {
  revoked: SessionEnd.REVOKED,
  logout: SessionEnd.LOGOUT,
  refresh_reused: SessionEnd.REFRESH_REUSED,
  password_changed: SessionEnd.PASSWORD_CHANGED,
  roles_changed: SessionEnd.ROLES_CHANGED,
  user_deleted: SessionEnd.USER_DELETED,
  displaced: SessionEnd.DISPLACED,
} as const satisfies Record<SessionEndReason, SessionEnd>

/** Packs one event for the bus. */
export function encodeIdentityEvent(event: IdentityEvent, id: string): NewMessage {
  const [schema, payload] = encode(event)
  return {
    topic: identityTopic,
    key: event.userId,
    id,
    type: event.type,
    headers: { schema: schema.typeName },
    payload,
    timeMs: event.atMs,
  }
}

function encode(event: IdentityEvent): readonly [DescMessage, Uint8Array] {
  const { userId } = event
  const at = timestampFromMs(event.atMs)
  switch (event.type) {
    case 'user_registered':
      return pack(UserRegisteredSchema, { userId, roles: [...event.roles], registeredAt: at })
    case 'user_verified':
      return pack(UserVerifiedSchema, { userId, verifiedAt: at })
    case 'session_started':
      return pack(SessionStartedSchema, { userId, sessionId: event.sessionId, startedAt: at })
    case 'session_revoked': {
      const { sessionId, reason } = event
      return pack(SessionRevokedSchema, { userId, sessionId, reason: ends[reason], revokedAt: at })
    }
    case 'user_deleted':
      return pack(UserDeletedSchema, { userId, deletedAt: at })
    case 'roles_changed':
      return pack(RolesChangedSchema, { userId, roles: [...event.roles], changedAt: at })
    default:
      return event satisfies never
  }
}

function pack<S extends DescMessage>(schema: S, init: MessageInitShape<S>): readonly [DescMessage, Uint8Array] {
  return [schema, toBinary(schema, create(schema, init))]
}
