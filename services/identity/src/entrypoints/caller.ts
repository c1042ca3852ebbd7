import { invariant } from '@plinth/base'
import type { CallContext, Principal } from '@plinth/rpc'

/** Who calls a method that the contract opens to signed-in callers alone. */
export function callerOf({ principal }: CallContext): Principal {
  invariant(principal, 'the auth interceptor lets nobody in without a principal')
  return principal
}
