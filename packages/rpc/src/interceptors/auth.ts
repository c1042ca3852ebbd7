import type { DescMethod } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import type { MethodPolicy } from '@plinth/rpc/contract'
import { methodName } from '../bind-service.ts'
import type { CallContext, CallHeaders, Principal } from '../call.ts'
import type { Interceptor } from '../dispatch.ts'

/**
 * Finds out who calls. Asked once per call, before the handler; it should answer from memory (a verified token), for
 * every call waits for it.
 */
export interface Authenticator {
  /**
   * The caller, or undefined when the headers claim nobody.
   *
   * @throws PlatformError kind `unauthenticated` for a credential that is malformed, expired or forged.
   */
  authenticate(headers: CallHeaders): Promise<Principal | undefined> | Principal | undefined
}

/**
 * Enforces the access rule of every method. Anonymous methods get a principal too when a valid credential came; a bad
 * one is no reason to refuse them, or nobody with an expired token could sign in again.
 *
 * A principal that the transport vouches for (a service calling in process) holds unless the call brings an
 * `authorization` header: then the call is made for whoever that names.
 */
export function createAuthInterceptor(authenticator: Authenticator): Interceptor {
  return (method, policy) => {
    const access = compileAccess(method, policy)
    const anonymous = policy.access?.rule.case === 'anonymous'
    const refuse = (error: unknown): undefined => {
      if (!anonymous || !PlatformError.is(error) || error.kind !== 'unauthenticated') throw error
    }
    /** Answers at once when the authenticator does. */
    function identify(context: CallContext): Promise<void> | undefined {
      const vouched = context.principal
      if (vouched !== undefined && !context.requestHeaders.has('authorization')) {
        access(vouched)
        return undefined
      }
      context.principal = undefined
      let found: ReturnType<Authenticator['authenticate']>
      try {
        found = authenticator.authenticate(context.requestHeaders)
      } catch (error) {
        found = refuse(error)
      }
      if (found instanceof Promise) {
        return found.catch(refuse).then((principal) => {
          context.principal = principal
          access(principal)
        })
      }
      context.principal = found
      access(found)
      return undefined
    }
    return {
      unary: (next) => (request, context) => {
        try {
          const asked = identify(context)
          return asked ? asked.then(() => next(request, context)) : next(request, context)
        } catch (error) {
          return Promise.reject(error)
        }
      },
      stream: (next) =>
        async function* authenticated(requests, context) {
          await identify(context)
          yield* next(requests, context)
        },
    }
  }
}

function compileAccess(method: DescMethod, policy: MethodPolicy): (principal: Principal | undefined) => void {
  const rule = policy.access?.rule
  if (rule?.case === 'anonymous') return () => {}
  const roles = rule?.case === 'anyRole' ? [...rule.value.role] : undefined
  const name = methodName(method)
  return (principal) => {
    if (principal === undefined) {
      throw new PlatformError(`Cannot call ${name}: sign in first`, {
        kind: 'unauthenticated',
        code: 'rpc.unauthenticated',
      })
    }
    if (roles !== undefined && !roles.some((role) => principal.roles.includes(role))) {
      throw new PlatformError(`Cannot call ${name}: it takes the role ${roles.join(' or ')}`, {
        kind: 'forbidden',
        code: 'rpc.forbidden',
        details: { roles },
      })
    }
  }
}
