import { timestampMs } from '@bufbuild/protobuf/wkt'
import { type Clock, PlatformError } from '@plinth/base'
import type { AuthService, Tokens } from '@plinth/identity-service/contract'
import type { Client } from '@plinth/rpc/client'
import type { Credentials, Login, LoginKey } from './credentials.ts'

/** The login of this command: a token that is valid, whenever one is asked for. */
export interface Session {
  readonly key: LoginKey
  login(): Promise<Login | undefined>
  /** An access token that is good for a few seconds at least; undefined when nobody is logged in. */
  accessToken(): Promise<string | undefined>
  /**
   * A newer token than the one that was refused.
   *
   * @throws PlatformError `plinth.login_expired` (unauthenticated) when the session is over.
   */
  renew(refused: string): Promise<string | undefined>
  keep(login: Login): Promise<void>
  forget(): Promise<void>
}

interface SessionDeps {
  readonly credentials: Credentials
  readonly auth: Client<typeof AuthService>
  readonly clock: Clock
  /** A token from the environment: used as it is, never refreshed, never kept. */
  readonly fixedToken: string | undefined
}

/** A token that ends sooner than this is exchanged first: the call takes its time too. */
const spareMs = 10_000

/** Makes the session of a server. Parallel commands take turns: one exchanges the token, the others find the new one. */
export function createSession(deps: SessionDeps, key: LoginKey): Session {
  const { credentials, auth, clock, fixedToken } = deps
  let known: Promise<Login | undefined> | undefined
  const login = () => {
    known ??= credentials.read(key)
    return known
  }

  /** Exchanges the token unless somebody else did so while this command waited for its turn. */
  async function exchange(isGood: (login: Login) => boolean): Promise<string | undefined> {
    const next = credentials.update(key, async (login) => {
      if (login === undefined || isGood(login)) return login
      return toLogin(await refresh(login.refreshToken), login.email)
    })
    known = next
    return (await next)?.accessToken
  }

  async function refresh(refreshToken: string): Promise<Tokens> {
    try {
      return await auth.refresh({ refreshToken }, { timeoutMs: 10_000 })
    } catch (error) {
      if (!PlatformError.is(error) || error.kind !== 'unauthenticated') throw error
      throw new PlatformError('Your login is over', {
        kind: 'unauthenticated',
        code: 'plinth.login_expired',
        cause: error,
      })
    }
  }

  return {
    key,
    login,
    async accessToken() {
      if (fixedToken !== undefined) return fixedToken
      const current = await login()
      if (current === undefined) return undefined
      const isFresh = ({ accessExpiresAtMs }: Login) => accessExpiresAtMs > clock.nowMs() + spareMs
      return isFresh(current) ? current.accessToken : await exchange(isFresh)
    },
    async renew(refused) {
      return fixedToken === undefined ? await exchange(({ accessToken }) => accessToken !== refused) : undefined
    },
    async keep(next) {
      await credentials.update(key, async () => next)
      known = Promise.resolve(next)
    },
    async forget() {
      await credentials.update(key, async () => undefined)
      known = Promise.resolve(undefined)
    },
  }
}

/** What is kept of tokens. */
export function toLogin(tokens: Tokens, email: string): Login {
  const ms = (at: Tokens['accessExpiresAt']) => (at === undefined ? 0 : timestampMs(at))
  return {
    email,
    userId: tokens.userId,
    sessionId: tokens.sessionId,
    accessToken: tokens.accessToken,
    accessExpiresAtMs: ms(tokens.accessExpiresAt),
    refreshToken: tokens.refreshToken,
    refreshExpiresAtMs: ms(tokens.refreshExpiresAt),
  }
}
