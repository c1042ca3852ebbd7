import type { DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2'

/** Who is calling, as the authenticator found it. */
export interface Principal {
  /** User id, or the service's name for `service` principals. */
  readonly id: string
  /** What the caller may be: `customer`, `operator`, `service`. */
  readonly roles: readonly string[]
  /** The session the access token belongs to, when there is one. */
  readonly sessionId?: string
}

/** Names in lower case, as HTTP/2 and gRPC metadata have them; one value a name, later writes win. */
export type CallHeaders = Map<string, string>

/** One call as its handler and every interceptor sees it, whatever transport it came by. */
export interface CallContext {
  readonly method: DescMethod
  readonly transport: 'in-process' | 'grpc' | 'rest'
  /** Aborts when the caller leaves, the deadline passes or the server is forced to stop. */
  readonly signal: AbortSignal
  /** Monotonic, as in `Scope`; `Infinity` without a deadline. */
  readonly deadlineMs: number
  readonly requestHeaders: CallHeaders
  /** Sent with the answer: set before a unary handler returns or a stream yields its first message. */
  readonly responseHeaders: CallHeaders
  /** Address of the peer for logs and limits; `in-process` inside one process. */
  readonly peer: string
  /** Present after the auth interceptor, for every method that is not anonymous. */
  principal: Principal | undefined
  /** The value of the `idempotency-key` header when the method's policy takes one; checked for length and form. */
  idempotencyKey: string | undefined
}

/** Accepts a message literal wherever a message is sent, as protobuf-es clients do. */
type Init<M extends DescMethod> = MessageInitShape<M['output']>
type In<M extends DescMethod> = MessageShape<M['input']>

/** The handler of one method, by its kind of streaming. A handler answers, or throws a `PlatformError`. */
export type MethodHandler<M extends DescMethod> = M extends { methodKind: 'unary' }
  ? (request: In<M>, context: CallContext) => Promise<Init<M>> | Init<M>
  : M extends { methodKind: 'server_streaming' }
    ? (request: In<M>, context: CallContext) => AsyncIterable<Init<M>>
    : M extends { methodKind: 'client_streaming' }
      ? (requests: AsyncIterable<In<M>>, context: CallContext) => Promise<Init<M>>
      : (requests: AsyncIterable<In<M>>, context: CallContext) => AsyncIterable<Init<M>>

type MethodsOf<S extends DescService> = S extends GenService<infer M extends GenServiceMethods> ? M : never

/** An implementation of a whole service: a missing method does not compile. */
export type ServiceImplementation<S extends DescService> = {
  readonly [K in keyof MethodsOf<S>]: MethodHandler<S['method'][K & string]>
}

/** A service with its implementation, ready to be served by any transport. Made by `bindService`. */
export interface ServiceBinding<S extends DescService = DescService> {
  readonly service: S
  readonly implementation: ServiceImplementation<S>
}

/** What a caller may say about one call. */
export interface CallOptions {
  readonly signal?: AbortSignal
  /** Time for this call; the surrounding scope's deadline holds if it is earlier. */
  readonly timeoutMs?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly idempotencyKey?: string
  /** Receives the response headers once they are there. */
  readonly onHeaders?: (headers: CallHeaders) => void
}

/** A typed client of a service. In process and over gRPC it behaves alike: copies, deadlines, errors, validation. */
export type Client<S extends DescService> = {
  readonly [K in keyof MethodsOf<S>]: ClientMethod<S['method'][K & string]>
}

type ClientMethod<M extends DescMethod> = M extends { methodKind: 'unary' }
  ? (request: MessageInitShape<M['input']>, options?: CallOptions) => Promise<MessageShape<M['output']>>
  : M extends { methodKind: 'server_streaming' }
    ? (request: MessageInitShape<M['input']>, options?: CallOptions) => AsyncIterable<MessageShape<M['output']>>
    : M extends { methodKind: 'client_streaming' }
      ? (
          requests: AsyncIterable<MessageInitShape<M['input']>>,
          options?: CallOptions,
        ) => Promise<MessageShape<M['output']>>
      : (
          requests: AsyncIterable<MessageInitShape<M['input']>>,
          options?: CallOptions,
        ) => AsyncIterable<MessageShape<M['output']>>

/** A way to reach a service's methods; `createClient` puts types on it. */
export interface Transport extends AsyncDisposable {
  unary(method: DescMethod, request: unknown, options: CallOptions): Promise<unknown>
  stream(method: DescMethod, requests: AsyncIterable<unknown>, options: CallOptions): AsyncIterable<unknown>
}
