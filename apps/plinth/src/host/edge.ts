import { createHttpServer, type HttpAddress } from '@plinth/http'
import { AuthenticatorKey } from '@plinth/identity-service'
import {
  type AnyModule,
  bindingOf,
  Clocks,
  configOf,
  createGrpcHealth,
  defineModule,
  IdsKey,
  key,
} from '@plinth/kernel'
import {
  type Contract,
  createDispatcher,
  createGrpcServer,
  type ErrorCodeEntry,
  mountApiDocs,
  mountRest,
  type ServiceBinding,
  standardInterceptors,
} from '@plinth/rpc'
import { grpcConfig, httpConfig, rpcConfig } from './config.ts'
import errorCodes from './error-codes.json' with { type: 'json' }
import { Forwarded } from './gateway.ts'
import { Observers } from './observers.ts'

/** Where the running shop is reached. */
export interface EdgeAddress {
  readonly http: HttpAddress
  readonly grpc: string
}

export const Edge = key<EdgeAddress>()('edge')

export interface EdgeOptions {
  /** What this process serves itself; forwarded contracts come on top, over REST. */
  readonly contracts: readonly Contract[]
  /** What is written in all contracts, for the API reference. */
  readonly comments: readonly Readonly<Record<string, string>>[]
  /** The version of the API, for its reference. */
  readonly version: string
}

/** Serves the contracts of this process over REST and gRPC, and forwarded ones over REST. */
export function createEdgeModule({ contracts, comments, version }: EdgeOptions): AnyModule {
  const bindings = Object.fromEntries(contracts.map((contract) => [contract.name, bindingOf(contract)]))
  return defineModule({
    name: 'edge',
    needs: {
      ...bindings,
      clock: Clocks,
      ids: IdsKey,
      authenticator: AuthenticatorKey,
      observers: Observers,
      forwarded: Forwarded,
      http: configOf(httpConfig),
      grpc: configOf(grpcConfig),
      rpc: configOf(rpcConfig),
    },
    provides: { edge: Edge },
    async start(deps, context) {
      const { clock, ids, authenticator, observers, http, grpc, rpc } = deps
      const local = contracts.map((contract) => (deps as unknown as Record<string, ServiceBinding>)[contract.name]!)
      const interceptors = standardInterceptors({
        authenticator,
        observers,
        limits: { callsMax: rpc.current.callsMax },
        deadlineMs: rpc.current.deadlineMs,
        clock,
      })
      await using undo = new AsyncDisposableStack()
      const server = undo.use(
        createHttpServer({
          host: http.current.host,
          port: http.current.port,
          limits: { connectionsMax: http.current.connectionsMax, bodyBytesMax: http.current.bodyBytesMax },
          timeouts: { drainTimeoutMs: http.current.drainTimeoutMs },
          ...(http.current.corsOrigins.length > 0 && { cors: { origins: http.current.corsOrigins } }),
          clock,
          ids,
        }),
      )
      const dispatcher = createDispatcher([...local, ...deps.forwarded], interceptors)
      mountRest(server, dispatcher)
      mountApiDocs(server, dispatcher, {
        title: 'Plinth',
        version,
        comments,
        errorCodes: errorCodes as readonly ErrorCodeEntry[],
      })
      const health = undo.use(
        createGrpcHealth(
          context.health,
          contracts.map(({ service }) => service.typeName),
        ),
      )
      const grpcServer = undo.use(
        await createGrpcServer(createDispatcher(local, interceptors), {
          host: grpc.current.host,
          port: grpc.current.port,
          health,
          clock,
        }),
      )
      const address = await server.listen()
      const resources = undo.move()
      return {
        provides: { edge: { http: address, grpc: grpcServer.address } },
        async drain() {
          await Promise.all([server.drain(), grpcServer.drain()])
        },
        stop: () => resources.disposeAsync(),
      }
    },
  })
}
