import type { DescMethod, DescService, Message } from '@bufbuild/protobuf'
import { compose, enterScope, type Middleware } from '@plinth/concurrency'
import type { MethodPolicy } from '@plinth/rpc/contract'
import { findPolicy, methodName } from './bind-service.ts'
import type { CallContext, ServiceBinding } from './call.ts'
import type { OpenCall } from './call-scope.ts'
import { compileCopy } from './copy-message.ts'

/** A link of the chain around methods with one request and one answer. */
export type UnaryMiddleware = Middleware<Message, Promise<Message>, CallContext>
/** A link of the chain around methods that stream on either side, or both. */
export type StreamMiddleware = Middleware<AsyncIterable<Message>, AsyncIterable<Message>, CallContext>

/** What an interceptor puts around one method; what it leaves out costs nothing. */
export interface MethodInterceptor {
  readonly unary?: UnaryMiddleware
  readonly stream?: StreamMiddleware
}

/**
 * Decides once per method, when services are bound, what to put around it; undefined for nothing. It is never asked
 * again, so everything it can know of the method beforehand belongs here and not into the middleware.
 */
export type Interceptor = (method: DescMethod, policy: MethodPolicy) => MethodInterceptor | undefined

/** A method with everything around it, ready for any transport. */
export interface BoundMethod {
  readonly method: DescMethod
  readonly policy: MethodPolicy
  /**
   * Calls a unary method with a message that the caller gives away. The answer belongs to the caller alone: the
   * handler keeps no part of it.
   *
   * @throws TypeError when the method streams.
   */
  unary(request: Message, context: OpenCall): Promise<Message>
  /**
   * Calls a method of any streaming kind; requests are pulled as the handler reads them and answers as the caller
   * reads them. A method that streams only answers gets its one request as a stream of one, and one that streams
   * only requests yields its one answer.
   *
   * @throws TypeError when the method is unary.
   */
  stream(requests: AsyncIterable<Message>, context: OpenCall): AsyncIterable<Message>
}

/** All methods a process serves. Transports call it; it holds no resources. */
export interface Dispatcher {
  readonly services: readonly DescService[]
  /** By full name: `plinth.catalog.v1.InventoryService/Reserve`. */
  readonly methods: ReadonlyMap<string, BoundMethod>
  /** The method of this descriptor, or of one that names the same method. */
  find(method: DescMethod): BoundMethod | undefined
}

/**
 * Puts the interceptors around every method of the bindings, the first outermost. {@link standardInterceptors} gives
 * the usual ones in their order.
 *
 * @throws TypeError when two bindings serve the same service, or a method has no access rule.
 */
export function createDispatcher(
  bindings: readonly ServiceBinding[],
  interceptors: readonly Interceptor[] = [],
): Dispatcher {
  const methods = new Map<string, BoundMethod>()
  const byDescriptor = new Map<DescMethod, BoundMethod>()
  for (const binding of bindings) {
    for (const method of binding.service.methods) {
      const name = methodName(method)
      if (methods.has(name)) throw new TypeError(`Cannot serve ${binding.service.typeName} twice`)
      const bound = bindMethod(binding, method, interceptors)
      methods.set(name, bound)
      byDescriptor.set(method, bound)
    }
  }
  return {
    services: bindings.map((binding) => binding.service),
    methods,
    find: (method) => byDescriptor.get(method) ?? methods.get(methodName(method)),
  }
}

type AnyHandler = (request: unknown, context: CallContext) => unknown

function bindMethod(binding: ServiceBinding, method: DescMethod, interceptors: readonly Interceptor[]): BoundMethod {
  const policy = findPolicy(method)
  if (!policy) throw new TypeError(`Cannot serve ${methodName(method)}: it has no access rule in its contract`)
  const implementation = binding.implementation as unknown as Readonly<Record<string, AnyHandler>>
  const handler = implementation[method.localName]?.bind(implementation)
  if (!handler) throw new TypeError(`Cannot serve ${methodName(method)}: it has no implementation`)
  const around = interceptors.map((interceptor) => interceptor(method, policy)).filter((links) => links !== undefined)
  return method.methodKind === 'unary'
    ? { method, policy, unary: bindUnary(method, handler, around), stream: () => wrongKind(method, 'is unary') }
    : { method, policy, unary: () => wrongKind(method, 'streams'), stream: bindStream(method, handler, around) }
}

function bindUnary(
  method: DescMethod,
  handler: AnyHandler,
  around: readonly MethodInterceptor[],
): BoundMethod['unary'] {
  const copyAnswer = compileCopy(method.output)
  const chain = compose<Message, Promise<Message>, CallContext>(
    around.map((links) => links.unary).filter((link) => link !== undefined),
    async (request, context) => copyAnswer(await handler(request, context)),
  )
  return (request, context) => {
    try {
      return enterScope(context, () => chain(request, context))
    } catch (error) {
      // An interceptor that throws instead of rejecting must not surprise a transport.
      return Promise.reject(error)
    }
  }
}

function bindStream(
  method: DescMethod,
  handler: AnyHandler,
  around: readonly MethodInterceptor[],
): BoundMethod['stream'] {
  const copyAnswer = compileCopy(method.output)
  const oneAnswer = method.methodKind === 'client_streaming'
  const oneRequest = method.methodKind === 'server_streaming'
  async function* answer(requests: AsyncIterable<Message>, context: CallContext): AsyncGenerator<Message> {
    if (oneAnswer) {
      yield copyAnswer(await handler(requests, context))
      return
    }
    const request = oneRequest ? await single(requests, method) : requests
    for await (const message of handler(request, context) as AsyncIterable<unknown>) yield copyAnswer(message)
  }
  const chain = compose<AsyncIterable<Message>, AsyncIterable<Message>, CallContext>(
    around.map((links) => links.stream).filter((link) => link !== undefined),
    answer,
  )
  return (requests, context) => inScope(chain(requests, context), context)
}

/** A generator runs in the scope of whoever asks for its next value, so every step has to enter the call's own. */
function inScope(messages: AsyncIterable<Message>, context: OpenCall): AsyncIterable<Message> {
  return {
    [Symbol.asyncIterator]() {
      const steps = enterScope(context, () => messages[Symbol.asyncIterator]())
      return {
        next: () => enterScope(context, () => steps.next()),
        async return() {
          await enterScope(context, () => steps.return?.())
          return { done: true, value: undefined }
        },
      }
    },
  }
}

async function single(requests: AsyncIterable<Message>, method: DescMethod): Promise<Message> {
  for await (const request of requests) return request
  throw new TypeError(`Cannot call ${methodName(method)} without its request`)
}

function wrongKind(method: DescMethod, what: string): never {
  throw new TypeError(`Cannot call ${methodName(method)} like this: it ${what}`)
}
