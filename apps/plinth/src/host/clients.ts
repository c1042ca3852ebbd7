import type { Clock, Ids, Secret } from '@plinth/base'
import { sleep } from '@plinth/base'
import {
  type AnyModule,
  bindingOf,
  Clocks,
  clientOf,
  defineModule,
  Metrics,
  observeTransport,
  Tracer,
} from '@plinth/kernel'
import {
  type Contract,
  createAuthInterceptor,
  createClient,
  createDeadlineInterceptor,
  createDispatcher,
  createGrpcTransport,
  createInProcessTransport,
  createValidationInterceptor,
  type Interceptor,
  idempotencyKeyInterceptor,
  recoverInterceptor,
} from '@plinth/rpc'
import { createServiceTokens, type ServiceTokens } from '@plinth/security'
import { Observers } from './observers.ts'

/** Under this name the services of a process call each other without a wire. */
const insidePrincipal = { id: 'inside', roles: ['service'] } as const

/**
 * A client of a service in this process. Calls pass the same interceptors as over the wire, save those that only a
 * stranger needs.
 */
export function createLocalClientModule(contract: Contract): AnyModule {
  return defineModule({
    name: `client:${contract.name}`,
    needs: { binding: bindingOf(contract), observers: Observers, clock: Clocks },
    provides: { client: clientOf(contract) },
    start({ binding, observers, clock }) {
      const interceptors: readonly Interceptor[] = [
        ...observers,
        recoverInterceptor,
        createDeadlineInterceptor({ clock }),
        createAuthInterceptor({ authenticate: () => insidePrincipal }),
        idempotencyKeyInterceptor,
        createValidationInterceptor({ clock }),
      ]
      const dispatcher = createDispatcher([binding], interceptors)
      const transport = createInProcessTransport(dispatcher, { principal: insidePrincipal, clock })
      return {
        provides: { client: createClient(contract.service, transport) },
        stop: () => transport[Symbol.asyncDispose](),
      }
    },
  })
}

export interface RemoteOptions {
  /** `host:port` of the peer's gRPC. */
  readonly address: string
  readonly identity: ServiceIdentity
}

/** A client of a service in another process, over gRPC. */
export function createRemoteClientModule(contract: Contract, { address, identity }: RemoteOptions): AnyModule {
  return defineModule({
    name: `client:${contract.name}`,
    needs: { clock: Clocks, metrics: Metrics, tracer: Tracer },
    provides: { client: clientOf(contract) },
    start(deps) {
      const wire = createGrpcTransport({ address, clock: deps.clock, headers: () => identity.headers() })
      const transport = observeTransport(deps, wire, { transport: 'grpc' })
      return {
        provides: { client: createClient(contract.service, transport) },
        stop: () => transport[Symbol.asyncDispose](),
      }
    },
  })
}

/** The token by which this process shows that it belongs to the shop. */
export interface ServiceIdentity extends AsyncDisposable {
  /** What a call to a peer carries. */
  headers(): Readonly<Record<string, string>>
  /** Checks the tokens of peers. */
  readonly tokens: ServiceTokens
}

/** Life of a token; a new one is made after a third of it. */
const tokenLifetimeMs = 60_000

/** Makes the identity and keeps its token fresh. */
export async function createServiceIdentity(
  deps: { readonly secret: Secret; readonly clock: Clock; readonly ids: Ids },
  name: string,
): Promise<ServiceIdentity> {
  const tokens = createServiceTokens(deps, { lifetimeMs: tokenLifetimeMs })
  const closing = new AbortController()
  let token = await tokens.issue(name)
  const keepFresh = async () => {
    for (;;) {
      await sleep(deps.clock, tokenLifetimeMs / 3, closing.signal)
      token = await tokens.issue(name)
    }
  }
  const fresh = keepFresh().catch(() => {})
  return {
    tokens,
    headers: () => ({ authorization: `Bearer ${token.reveal()}` }),
    async [Symbol.asyncDispose]() {
      closing.abort()
      await fresh
    },
  }
}
