import type { Message } from '@bufbuild/protobuf'
import { type FieldViolation, PlatformError } from '@plinth/base'
import { methodName } from '../bind-service.ts'
import type { OpenCall } from '../call-scope.ts'
import type { Interceptor } from '../dispatch.ts'
import { compileValidator, type ValidatorOptions } from '../validate/compile-validator.ts'

/**
 * Refuses requests that break the rules of their contract with `rpc.invalid_request`, naming every broken field (at
 * most 100). In a stream, the first message that breaks a rule ends the call.
 *
 * @throws TypeError at bind time for a rule that cannot be compiled.
 */
export function createValidationInterceptor(options: ValidatorOptions = {}): Interceptor {
  return (method) => {
    const validate = compileValidator(method.input, options)
    const name = methodName(method)
    return {
      unary: (next) => (request, context) => {
        const violations = validate(request)
        return violations === undefined ? next(request, context) : Promise.reject(invalidRequest(name, violations))
      },
      stream: (next) => (requests, context) => {
        const check = (request: Message): Message => {
          const violations = validate(request)
          if (violations === undefined) return request
          const fault = invalidRequest(name, violations)
          // Ends the call even if the handler catches what its request stream throws.
          ;(context as OpenCall).cancel(fault)
          throw fault
        }
        return next(checked(requests, check), context)
      },
    }
  }
}

async function* checked(requests: AsyncIterable<Message>, check: (request: Message) => Message) {
  for await (const request of requests) yield check(request)
}

/** The one form in which every edge reports a request that breaks its contract. */
export function invalidRequest(method: string, violations: readonly FieldViolation[]): PlatformError {
  const first = violations[0]
  const more = violations.length > 1 ? `, and ${violations.length - 1} more` : ''
  const what = first ? `: ${first.field === '' ? 'the request' : first.field} ${first.message}${more}` : ''
  return new PlatformError(`Cannot call ${method}${what}`, {
    kind: 'invalid',
    code: 'rpc.invalid_request',
    details: { violations },
  })
}
