import { authContract } from '@plinth/identity-service/contract'
import { Clocks, clientOf, configOf, defineModule, IdsKey, key, Randoms } from '@plinth/kernel'
import type { Authenticator } from '@plinth/rpc'
import {
  createAccessTokenVerifier,
  createBearerAuthenticator,
  createJwksSource,
  createServiceTokens,
} from '@plinth/security'
import { readClusterSecret } from './cluster-secret.ts'
import { clusterConfig, dataConfig } from './config.ts'

/** Tells who calls, from a bearer token. */
export const AuthenticatorKey = key<Authenticator>()('authenticator')

/** Checks users' tokens with the keys that identity publishes, and services' with the secret they share. */
export const authenticatorModule = defineModule({
  name: 'authenticator',
  needs: {
    clock: Clocks,
    ids: IdsKey,
    random: Randoms,
    auth: clientOf(authContract),
    data: configOf(dataConfig),
    cluster: configOf(clusterConfig),
  },
  provides: { authenticator: AuthenticatorKey },
  async start({ clock, ids, random, auth, data, cluster }) {
    const secret = await readClusterSecret(cluster.current.secret, { dir: data.current.dir, random })
    const keys = createJwksSource({ clock, fetchKeys: async () => (await auth.getJwks({})).keys })
    const access = createAccessTokenVerifier({ keys, clock })
    const services = createServiceTokens({ secret, clock, ids })
    return { provides: { authenticator: createBearerAuthenticator({ access, services }) } }
  },
})
