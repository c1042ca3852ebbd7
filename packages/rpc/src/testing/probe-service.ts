import type { MessageShape } from '@bufbuild/protobuf'
import { type ProbeSchema, ProbeService } from '../../contract/gen/plinth/rpc/testing/v1/transport_pb.ts'
import { bindService } from '../bind-service.ts'
import type { Principal, ServiceImplementation } from '../call.ts'
import { createDispatcher, type Dispatcher } from '../dispatch.ts'
import type { Authenticator } from '../interceptors/auth.ts'
import { type StandardInterceptorOptions, standardInterceptors } from '../interceptors/standard.ts'
import { testFault } from './test-fault.ts'

/** What the probe service takes and answers. */
export type Probe = MessageShape<typeof ProbeSchema>
/** Handlers of the probe service. */
export type ProbeImplementation = ServiceImplementation<typeof ProbeService>

/** Takes `Bearer <role>` for a principal of that role, and refuses `Bearer bad`. */
export const probeAuthenticator: Authenticator = {
  authenticate(headers): Principal | undefined {
    const token = headers.get('authorization')?.replace('Bearer ', '')
    if (token === undefined) return undefined
    if (token === 'bad') {
      throw testFault('unauthenticated', 'test.token_bad')
    }
    return { id: `the ${token}`, roles: [token] }
  },
}

/** A dispatcher that serves the probe service, with the standard interceptors and the given handlers in place. */
export function createProbeDispatcher(
  handlers: Partial<ProbeImplementation> = {},
  options: Partial<StandardInterceptorOptions> = {},
): Dispatcher {
  const implementation: ProbeImplementation = {
    echo: (request) => request,
    act: (request) => request,
    signedIn: (_request, context) => ({ text: context.principal?.id ?? '' }),
    operate: (_request, context) => ({ text: context.idempotencyKey ?? '' }),
    async *count(request) {
      for (let number = 0; number < request.number; number++) yield { number }
    },
    async sum(requests) {
      let number = 0
      for await (const request of requests) number += request.number
      return { number }
    },
    async *chat(requests) {
      for await (const request of requests) yield request
    },
    ...handlers,
  }
  return createDispatcher(
    [bindService(ProbeService, implementation)],
    standardInterceptors({ authenticator: probeAuthenticator, ...options }),
  )
}
