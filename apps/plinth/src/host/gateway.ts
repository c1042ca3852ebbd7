import type { DescMethod, DescService } from '@bufbuild/protobuf'
import { Clocks, defineModule, key, Metrics, observeTransport, Tracer } from '@plinth/kernel'
import {
  bindService,
  type CallContext,
  type CallHeaders,
  type CallOptions,
  type Contract,
  createGrpcTransport,
  type ServiceBinding,
  type ServiceImplementation,
  type Transport,
} from '@plinth/rpc'

/** Bindings that pass every call on to another process. */
export const Forwarded = key<readonly ServiceBinding[]>()('forwarded')

export interface ForwardedPeer {
  readonly address: string
  readonly contracts: readonly Contract[]
}

/** What a caller may send along; everything else ends at this edge. */
const passedOn = ['authorization', 'idempotency-key', 'if-match', 'if-none-match', 'plinth-signature'] as const

/** What the peer only tells its caller about the connection. */
const ownHeaders = new Set(['content-type', 'date', 'grpc-encoding', 'grpc-accept-encoding'])

/**
 * Lets this process answer for services that run elsewhere, so that callers need one address. Calls go on as their
 * caller: the peer checks the caller's own token, and nothing of this process's identity is lent to a stranger.
 */
export function createGatewayModule(peers: readonly ForwardedPeer[]) {
  return defineModule({
    name: 'gateway',
    needs: { clock: Clocks, metrics: Metrics, tracer: Tracer },
    provides: { forwarded: Forwarded },
    start(deps) {
      const transports = new Map<string, Transport>()
      const bindings = peers.flatMap(({ address, contracts }) => {
        const transport = transports.getOrInsertComputed(address, () =>
          observeTransport(deps, createGrpcTransport({ address, clock: deps.clock }), { transport: 'grpc' }),
        )
        return contracts.map(({ service }) => forward(service, transport))
      })
      return {
        provides: { forwarded: bindings },
        async stop() {
          for (const transport of transports.values()) await transport[Symbol.asyncDispose]()
        },
      }
    },
  })
}

function forward(service: DescService, transport: Transport): ServiceBinding {
  const implementation = Object.fromEntries(
    service.methods.map((method) => [method.localName, forwardMethod(method, transport)]),
  )
  return bindService(service, implementation as unknown as ServiceImplementation<DescService>)
}

type Handler = (request: unknown, context: CallContext) => unknown

function forwardMethod(method: DescMethod, transport: Transport): Handler {
  switch (method.methodKind) {
    case 'unary':
      return (request, context) => transport.unary(method, request, optionsOf(context))
    case 'server_streaming':
      return (request, context) => transport.stream(method, once(request), optionsOf(context))
    case 'client_streaming':
      return async (requests, context) => {
        for await (const answer of transport.stream(method, requests as AsyncIterable<unknown>, optionsOf(context))) {
          return answer
        }
        throw new TypeError(`Cannot forward ${method.name}: the peer gave no answer`)
      }
    case 'bidi_streaming':
      return (requests, context) => transport.stream(method, requests as AsyncIterable<unknown>, optionsOf(context))
  }
}

async function* once(request: unknown): AsyncIterable<unknown> {
  yield request
}

function optionsOf(context: CallContext): CallOptions {
  const headers: Record<string, string> = {}
  for (const name of passedOn) {
    const value = context.requestHeaders.get(name)
    if (value !== undefined) headers[name] = value
  }
  const onHeaders = (received: CallHeaders) => {
    for (const [name, value] of received) if (!ownHeaders.has(name)) context.responseHeaders.set(name, value)
  }
  return { signal: context.signal, headers, onHeaders }
}
