import type { DescMethod, DescService } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { methodName } from './bind-service.ts'
import type { CallOptions, Client, Transport } from './call.ts'

const noOptions: CallOptions = Object.freeze({})

/**
 * Puts a service's types on a transport. The client is made once and shared; it holds nothing of its own.
 *
 * @example
 * ```ts no-run
 * const inventory = createClient(InventoryService, transport)
 * const stock = await inventory.getStock({ productId }, { timeoutMs: 500 })
 * ```
 */
export function createClient<S extends DescService>(service: S, transport: Transport): Client<S> {
  const client: Record<string, unknown> = Object.create(null)
  for (const method of service.methods) client[method.localName] = clientMethod(method, transport)
  return Object.freeze(client) as Client<S>
}

function clientMethod(method: DescMethod, transport: Transport): unknown {
  switch (method.methodKind) {
    case 'unary':
      return (request: unknown, options?: CallOptions) => transport.unary(method, request, options ?? noOptions)
    case 'server_streaming':
      return (request: unknown, options?: CallOptions) => transport.stream(method, once(request), options ?? noOptions)
    case 'client_streaming':
      return (requests: AsyncIterable<unknown>, options?: CallOptions) =>
        only(method, transport.stream(method, requests, options ?? noOptions))
    case 'bidi_streaming':
      return (requests: AsyncIterable<unknown>, options?: CallOptions) =>
        transport.stream(method, requests, options ?? noOptions)
  }
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value
}

async function only(method: DescMethod, answers: AsyncIterable<unknown>): Promise<unknown> {
  for await (const answer of answers) return answer
  throw new PlatformError(`Cannot read the answer of ${methodName(method)}: the peer sent none`, {
    kind: 'internal',
    code: 'rpc.no_answer',
  })
}
