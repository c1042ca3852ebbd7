/**
 * Telling who calls, from the tokens that identity gives out: in the process of identity itself, or in any other.
 * @module
 */
import { fromBinary } from '@bufbuild/protobuf'
import { timestampMs } from '@bufbuild/protobuf/wkt'
import { BusKey, Clocks, clientOf, defineModule, key } from '@plinth/kernel'
import type { Authenticator } from '@plinth/rpc'
import {
  createAccessTokenVerifier,
  createBearerAuthenticator,
  createJwksSource,
  createRevocationList,
  type PublicJwk,
  type ServiceClaims,
  type TokenVerifier,
} from '@plinth/security'
import { authContract, identityTopic, SessionRevokedSchema } from '../contract/index.ts'

/** Who calls: provided by identity itself, and by {@link createAuthenticatorModule} where identity is elsewhere. */
export const AuthenticatorKey = key<Authenticator>()('authenticator')

export interface AuthenticatorModuleOptions {
  /** Names this process among those that verify tokens: each hears of every revocation. `a-z 0-9 -`, up to 50. */
  readonly instance: string
  /** Verifies the tokens of services. Without it only users are let in. */
  readonly services?: TokenVerifier<ServiceClaims>
}

/**
 * An authenticator for processes without identity: it fetches the public keys from there, asks once for the sessions
 * that ended lately, and follows the events after that. A session that ends is refused here as soon as its event
 * arrives, usually within milliseconds; while the bus is down, when its access token expires.
 */
export function createAuthenticatorModule({ instance, services }: AuthenticatorModuleOptions) {
  if (!/^[a-z0-9-]{1,50}$/.test(instance)) {
    throw new TypeError(`Cannot name the instance "${instance}": use 1 to 50 of a-z, 0-9 and -`)
  }
  return defineModule({
    name: 'authenticator',
    needs: { clock: Clocks, bus: BusKey, auth: clientOf(authContract) },
    provides: { authenticator: AuthenticatorKey },
    async start({ clock, bus, auth }, context) {
      const revocations = createRevocationList({ clock })
      const keys = createJwksSource({ clock, fetchKeys: async () => (await auth.getJwks({})).keys as PublicJwk[] })
      const access = createAccessTokenVerifier({ keys, clock, revocations })
      const subscription = await bus.subscribe({
        topics: [identityTopic],
        group: `authenticator.${instance}`,
        from: 'latest',
        async handler({ type, payload }) {
          if (type !== 'session_revoked') return
          const { sessionId, revokedAt } = fromBinary(SessionRevokedSchema, payload)
          revocations.revoke(sessionId, revokedAt ? timestampMs(revokedAt) : clock.nowMs())
        },
      })
      // Identity may start after this process: the kernel repeats the task until it has answered.
      context.run('revocations', async ({ signal }) => {
        const answer = await auth.listRevocations({}, { signal })
        for (const { sessionId, revokedAt } of answer.revocations) {
          revocations.revoke(sessionId, revokedAt ? timestampMs(revokedAt) : clock.nowMs())
        }
      })
      return {
        provides: { authenticator: createBearerAuthenticator({ access, ...(services && { services }) }) },
        stop: () => subscription[Symbol.asyncDispose](),
      }
    },
  })
}
