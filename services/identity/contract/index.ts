/**
 * What identity tells and takes: the only part of this service others may import.
 * @module
 */

/** What is written in these contracts, for the API reference. */
export { default as identityComments } from './gen/comments.json' with { type: 'json' }

import { defineContract } from '@plinth/rpc/client'
import { AuthService } from './gen/plinth/identity/v1/auth_pb.ts'
import { UsersService } from './gen/plinth/identity/v1/user_pb.ts'

/** Signing up, signing in, sessions and public keys. */
export const authContract = defineContract('identity.auth', AuthService)

/** Accounts. */
export const usersContract = defineContract('identity.users', UsersService)

/** Where all events of this service go, keyed by user id. */
export const identityTopic = 'identity.user'

export {
  AuthService,
  type GetJwksResponse,
  GetJwksResponseSchema,
  type Jwk,
  JwkSchema,
  type ListSessionsResponse,
  type LoginRequest,
  LoginRequestSchema,
  type RegisterRequest,
  RegisterRequestSchema,
  type Revocation,
  RevocationSchema,
  type Session,
  SessionSchema,
  type Tokens,
  TokensSchema,
} from './gen/plinth/identity/v1/auth_pb.ts'
export {
  type RolesChanged,
  RolesChangedSchema,
  SessionEnd,
  type SessionRevoked,
  SessionRevokedSchema,
  type SessionStarted,
  SessionStartedSchema,
  type UserDeleted,
  UserDeletedSchema,
  type UserRegistered,
  UserRegisteredSchema,
  type UserVerified,
  UserVerifiedSchema,
} from './gen/plinth/identity/v1/events_pb.ts'
export {
  type CreateUserRequest,
  CreateUserRequestSchema,
  type ListUsersResponse,
  ListUsersResponseSchema,
  type User,
  UserSchema,
  UsersService,
} from './gen/plinth/identity/v1/user_pb.ts'
