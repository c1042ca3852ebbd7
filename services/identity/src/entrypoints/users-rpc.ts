import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { isUuid, Secret } from '@plinth/base'
import { decodePageToken, encodePageToken, onceKey, type ServiceImplementation } from '@plinth/rpc'
import {
  CreateUserRequestSchema,
  type User as UserMessage,
  UserSchema,
  type UsersService,
} from '../../contract/index.ts'
import type { Role, UserChange } from '../domain/user.ts'
import type { Identity } from '../usecases/identity.ts'
import { toUserMessage, versionOf } from '../wire/identity-message.ts'
import { callerOf } from './caller.ts'
import { invalidField, orThrow } from './refusal-error.ts'

const pageSizeDefault = 20

/** Serves the methods of UsersService. */
export function createUsersRpc(identity: Identity): ServiceImplementation<typeof UsersService> {
  return {
    getMe: async (_request, context) => toUserMessage(orThrow(await identity.getUser(callerOf(context).id))),
    async updateMe({ user, updateMask }, context) {
      const change = changeOf(user, { paths: updateMask?.paths, allowed: ['display_name'] })
      const version = versionOf(user?.etag ?? '')
      return toUserMessage(orThrow(await identity.updateUser({ userId: callerOf(context).id, change, version })))
    },
    async createUser(request, context) {
      const { email, password, displayName, roles } = request
      const wanted = { email, displayName, roles: roles.length > 0 ? (roles as Role[]) : (['customer'] as const) }
      // Not even a digest of the password is kept with the command: it could be guessed from that.
      const command = onceKey(context, create(CreateUserRequestSchema, { ...request, password: '' }))
      const encode = (user: Parameters<typeof toUserMessage>[0]) => toBinary(UserSchema, toUserMessage(user))
      const answer = await identity.createUser({ ...wanted, password: new Secret(password) }, { command, encode })
      return fromBinary(UserSchema, orThrow(answer))
    },
    getUser: async ({ userId }) => toUserMessage(orThrow(await identity.getUser(userId))),
    async listUsers({ pageSize, pageToken, role, emailPrefix }) {
      const limit = pageSize || pageSizeDefault
      const found = await identity.listUsers({
        role: role === '' ? undefined : (role as Role),
        emailPrefix: emailPrefix.trim().normalize('NFC').toLowerCase(),
        afterId: decodePageToken(pageToken)?.id ?? '',
        // One more than asked tells whether there is another page.
        limit: limit + 1,
      })
      const page = found.slice(0, limit)
      const last = found.length > limit ? page.at(-1) : undefined
      return {
        users: page.map(toUserMessage),
        nextPageToken: last ? encodePageToken({ timeMs: last.createdAtMs, id: last.userId }) : '',
      }
    },
    async updateUser({ user, updateMask }) {
      if (!isUuid(user?.id ?? '')) {
        throw invalidField('user_id_invalid', { field: 'user.id', rule: 'uuid', message: 'Expected a UUID' })
      }
      const change = changeOf(user, { paths: updateMask?.paths, allowed: ['display_name', 'email_verified'] })
      const version = versionOf(user?.etag ?? '')
      return toUserMessage(orThrow(await identity.updateUser({ userId: user?.id ?? '', change, version })))
    },
    deleteUser: async (request, context) =>
      orThrow(
        await identity.deleteUser(
          { userId: request.userId, version: versionOf(request.etag) },
          onceKey(context, request),
        ),
      ),
    setRoles: async ({ userId, roles }) => toUserMessage(orThrow(await identity.setRoles(userId, roles as Role[]))),
    unlockUser: async ({ userId }) => toUserMessage(orThrow(await identity.unlockUser(userId))),
  }
}

const changeable = {
  display_name: (user: UserMessage): UserChange => ({ displayName: user.displayName }),
  email_verified: (user: UserMessage): UserChange => ({ isVerified: user.emailVerified }),
} as const

type ChangeablePath = keyof typeof changeable

function changeOf(
  user: UserMessage | undefined,
  { paths, allowed }: { readonly paths: readonly string[] | undefined; readonly allowed: readonly ChangeablePath[] },
): Pick<UserChange, 'displayName' | 'isVerified'> {
  if (!user) return {}
  // Without a mask every field that is set counts, as in proto3 JSON: the empty ones are not there.
  const named = paths?.length ? paths : allowed.filter((path) => Object.values(changeable[path](user)).some(Boolean))
  const unknown = named.find((path) => path !== '*' && !(allowed as readonly string[]).includes(path))
  if (unknown !== undefined) {
    const message = `Expected ${allowed.join(', ')}`
    throw invalidField('mask_invalid', { field: 'updateMask', rule: 'field_mask', message })
  }
  const chosen = named.includes('*') ? allowed : (named as readonly ChangeablePath[])
  return Object.assign({}, ...chosen.map((path) => changeable[path](user)))
}
