import type { AccessClaims, TokenVerifier } from './access-token.ts'
import { tokenRefused } from './internal/jwt-verifier.ts'
import type { ServiceClaims } from './service-token.ts'

/** Who is calling: a user in a session, or a service (role `service`). */
export interface AuthenticatedCaller {
  readonly id: string
  readonly roles: readonly string[]
  readonly sessionId?: string
}

/** Turns the headers of a call into who is calling. */
export interface BearerAuthenticator {
  /**
   * Undefined without an authorization header. Answers without a promise when the token was verified before.
   *
   * @throws PlatformError kind unauthenticated: `security.credentials_malformed` for a header that is not
   * `Bearer <token>`, and the codes of {@link TokenVerifier}.
   */
  authenticate(headers: ReadonlyMap<string, string>): AuthenticatedCaller | undefined | Promise<AuthenticatedCaller>
}

const schemePattern = /^Bearer +/i
const serviceRoles: readonly string[] = Object.freeze(['service'])

/** Makes an authenticator of users, and of services when their verifier is given. */
export function createBearerAuthenticator(deps: {
  readonly access: TokenVerifier<AccessClaims>
  readonly services?: TokenVerifier<ServiceClaims>
}): BearerAuthenticator {
  const { access, services } = deps
  return {
    authenticate(headers) {
      const header = headers.get('authorization')
      if (header === undefined) return undefined
      const scheme = schemePattern.exec(header)
      if (!scheme) throw tokenRefused('credentials_malformed', 'the authorization header is not "Bearer <token>"')
      const token = header.slice(scheme[0].length).trimEnd()
      const user = access.peek(token)
      if (user) return callerOfUser(user)
      const service = services?.peek(token)
      if (service) return callerOfService(service)
      if (services && isServiceToken(token)) return Promise.resolve(services.verify(token)).then(callerOfService)
      return Promise.resolve(access.verify(token)).then(callerOfUser)
    },
  }
}

// Only a hint for the right verifier, which checks the header again with everything else.
const headerCharsMax = 512

function isServiceToken(token: string): boolean {
  const header = token.slice(0, token.indexOf('.'))
  if (header.length === 0 || header.length > headerCharsMax) return false
  return Buffer.from(header, 'base64url').toString('latin1').includes('"typ":"service+jwt"')
}

function callerOfUser({ subject, roles, sessionId }: AccessClaims): AuthenticatedCaller {
  return { id: subject, roles, sessionId }
}

function callerOfService({ service }: ServiceClaims): AuthenticatedCaller {
  return { id: service, roles: serviceRoles }
}
