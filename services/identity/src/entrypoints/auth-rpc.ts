import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { Secret } from '@plinth/base'
import type { CallContext, ServiceImplementation } from '@plinth/rpc'
import type { PublicJwk } from '@plinth/security'
import type { AuthService } from '../../contract/index.ts'
import type { Identity } from '../usecases/identity.ts'
import type { Device } from '../usecases/login.ts'
import { toSessionMessage, toTokensMessage } from '../wire/identity-message.ts'
import { callerOf } from './caller.ts'
import { orThrow } from './refusal-error.ts'

const userAgentCharsMax = 200

/** Serves the methods of AuthService. */
export function createAuthRpc(
  identity: Identity,
  keys: { publicKeys(): readonly PublicJwk[] },
): ServiceImplementation<typeof AuthService> {
  return {
    async register({ email, password, displayName }) {
      return orThrow(await identity.register({ email, password: new Secret(password), displayName }))
    },
    verifyEmail: async ({ token }) => orThrow(await identity.verifyEmail(new Secret(token))),
    resendVerification: async ({ email }) => orThrow(await identity.resendVerification(email)),
    async login({ email, password, deviceName }, context) {
      const credentials = { email, password: new Secret(password) }
      return toTokensMessage(orThrow(await identity.login(credentials, { deviceName, ...originOf(context) })))
    },
    async refresh({ refreshToken }, context) {
      return toTokensMessage(orThrow(await identity.refresh(new Secret(refreshToken), originOf(context))))
    },
    logout: ({ refreshToken }) => identity.logout(new Secret(refreshToken)),
    async listSessions(_request, context) {
      const { id, sessionId } = callerOf(context)
      const sessions = await identity.listSessions(id)
      return { sessions: sessions.map((session) => toSessionMessage(session, sessionId)) }
    },
    revokeSession: async ({ sessionId }, context) =>
      orThrow(await identity.revokeSession(callerOf(context).id, sessionId)),
    async revokeSessions({ keepCurrent }, context) {
      const { id, sessionId } = callerOf(context)
      return { revoked: await identity.revokeSessions(id, keepCurrent ? sessionId : undefined) }
    },
    async changePassword({ currentPassword, newPassword }, context) {
      const { id: userId, sessionId } = callerOf(context)
      const [current, next] = [new Secret(currentPassword), new Secret(newPassword)]
      return orThrow(await identity.changePassword({ userId, sessionId, current, next }), 'newPassword')
    },
    getJwks: () => ({ keys: [...keys.publicKeys()] }),
    async listRevocations() {
      const revocations = await identity.listRevocations()
      return {
        revocations: revocations.map(({ sessionId, atMs }) => ({ sessionId, revokedAt: timestampFromMs(atMs) })),
      }
    },
  }
}

function originOf(context: CallContext): Omit<Device, 'deviceName'> {
  const userAgent = context.requestHeaders.get('user-agent') ?? ''
  return { userAgent: printable(userAgent).slice(0, userAgentCharsMax), address: addressOf(context.peer) }
}

/** The peer without its port; empty inside the process. */
function addressOf(peer: string): string {
  if (peer === 'in-process') return ''
  const address = /^\[(.+)\](?::\d+)?$/.exec(peer)?.[1] ?? /^([^:]+):\d+$/.exec(peer)?.[1] ?? peer
  return printable(address).slice(0, 64)
}

/** PostgreSQL refuses the null character, and nobody wants the others in a list. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '')
}
