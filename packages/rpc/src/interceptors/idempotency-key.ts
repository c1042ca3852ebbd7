import { PlatformError } from '@plinth/base'
import { IdempotencyKey } from '@plinth/rpc/contract'
import { methodName } from '../bind-service.ts'
import type { CallContext } from '../call.ts'
import type { Interceptor } from '../dispatch.ts'

const form = /^[\x21-\x7e]{1,255}$/

/**
 * Hands the `idempotency-key` header to methods whose policy takes one, checked: 1 to 255 visible ASCII characters.
 * Methods that take none never see it.
 */
export const idempotencyKeyInterceptor: Interceptor = (method, policy) => {
  if (policy.idempotencyKey === IdempotencyKey.UNSPECIFIED) return undefined
  const required = policy.idempotencyKey === IdempotencyKey.REQUIRED
  const name = methodName(method)
  function take(context: CallContext): void {
    const key = context.requestHeaders.get('idempotency-key')
    if (key === undefined) {
      if (!required) return
      throw new PlatformError(`Cannot call ${name} without the header idempotency-key`, {
        kind: 'invalid',
        code: 'rpc.idempotency_key_missing',
      })
    }
    if (!form.test(key)) {
      throw new PlatformError('Cannot take this idempotency-key: expected 1 to 255 visible ASCII characters', {
        kind: 'invalid',
        code: 'rpc.idempotency_key_invalid',
      })
    }
    context.idempotencyKey = key
  }
  return {
    unary: (next) => (request, context) => {
      take(context)
      return next(request, context)
    },
    stream: (next) => (requests, context) => {
      take(context)
      return next(requests, context)
    },
  }
}
