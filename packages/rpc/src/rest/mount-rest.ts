import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Message, Registry } from '@bufbuild/protobuf'
import { fromUnknown } from '@plinth/base'
import { catchAll, type HttpServer, hasBody, httpError, readBody, requestIdOf, setRoute } from '@plinth/http'
import { createCallContext, type OpenCall } from '../call-scope.ts'
import type { BoundMethod, Dispatcher } from '../dispatch.ts'
import type { JsonLimits } from '../json/decode-state.ts'
import { type Compressor, createCompressor } from './compression.ts'
import { type RestRule, restRulesOf } from './http-rules.ts'
import { createPathRouter, type PathMatch } from './path-router.ts'
import { compileRequestReader, type ReadRequest } from './request-reader.ts'
import { compileResponseWriter, type WriteResponse } from './response-writer.ts'
import { callHeadersOf, ifMatchOf, timeoutOf } from './rest-headers.ts'
import { compileStreamWriter, type WriteStream } from './stream-writer.ts'

/** How REST is served; the limits of bodies and URLs are those of the server it is mounted on. */
export interface RestOptions {
  /** Types that `google.protobuf.Any` may hold. @default none */
  readonly registry?: Registry
  /** Writes fields without presence even when they hold their default. @default true */
  readonly emitDefaults?: boolean
  /** Bounds of JSON bodies. */
  readonly json?: JsonLimits
  /** Bytes of an answer from which it is compressed. @default 1_024 */
  readonly compressBytesMin?: number
  /** Answers compressed at once; further ones go out as they are. @default 32 */
  readonly compressAtOnceMax?: number
  /** Silence after which an event stream gets a comment, in milliseconds. @default 15_000 */
  readonly heartbeatMs?: number
}

/** One method behind one template, compiled. */
interface Endpoint {
  readonly bound: BoundMethod
  readonly rule: RestRule
  readonly read: ReadRequest
  readonly bytesMax: number
  /** The one for unary methods or the one for streams. */
  readonly write: WriteResponse | undefined
  readonly stream: WriteStream | undefined
}

/**
 * Serves every method of the dispatcher that has a `google.api.http` option, on a server that does not listen yet.
 * Paths that no template takes stay with the server's other routes.
 *
 * @throws TypeError when a rule is wrong or two rules take the same paths.
 */
export function mountRest(server: HttpServer, dispatcher: Dispatcher, options: RestOptions = {}): void {
  const compressor = createCompressor({
    bytesMin: options.compressBytesMin ?? 1_024,
    atOnceMax: options.compressAtOnceMax ?? 32,
  })
  const endpoints = [...dispatcher.methods.values()].flatMap((bound) =>
    restRulesOf(bound.method).map((rule) => compileEndpoint(server, bound, { rule, options, compressor })),
  )
  const router = createPathRouter(
    endpoints.map((target) => ({ method: target.rule.httpMethod, path: target.rule.template.text, target })),
  )
  server.addAllowedMethods((path) => router.allowed(path))
  const known = new Set(server.fastify.supportedMethods)
  for (const { rule } of endpoints) {
    if (rule.httpMethod === '*' || known.has(rule.httpMethod)) continue
    server.fastify.addHttpMethod(rule.httpMethod, { hasBody: true })
    known.add(rule.httpMethod)
  }
  server.fastify.register(async (scope) => {
    // Bodies are read by the endpoint, which knows their limit and what they should be.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    scope.route({
      method: [...known],
      url: '/*',
      exposeHeadRoute: false,
      config: catchAll,
      handler(request, reply) {
        const url = request.raw.url as string
        const mark = url.indexOf('?')
        let match: PathMatch<Endpoint> | undefined
        try {
          match = router.find(request.method, mark < 0 ? url : url.slice(0, mark))
        } catch (error) {
          reply.hijack()
          server.answers.sendProblem(reply.raw, fromUnknown(error))
          return
        }
        if (!match) {
          reply.callNotFound()
          return
        }
        reply.hijack()
        serve(server, reply.raw, { match, query: mark < 0 ? '' : url.slice(mark + 1), peer: request.ip })
      },
    })
  })
}

function compileEndpoint(
  server: HttpServer,
  bound: BoundMethod,
  {
    rule,
    options,
    compressor,
  }: { readonly rule: RestRule; readonly options: RestOptions; readonly compressor: Compressor },
): Endpoint {
  const encoding = {
    emitDefaults: options.emitDefaults ?? true,
    ...(options.registry ? { registry: options.registry } : {}),
  }
  const deps = {
    answers: server.answers,
    compressor,
    clock: server.clock,
    heartbeatMs: options.heartbeatMs ?? 15_000,
    draining: server.draining,
  }
  const unary = rule.method.methodKind === 'unary'
  return {
    bound,
    rule,
    read: compileRequestReader(rule, { ...options.json, ...(options.registry ? { registry: options.registry } : {}) }),
    bytesMax: bound.policy.requestBytesMax > 0 ? bound.policy.requestBytesMax : server.limits.bodyBytesMax,
    write: unary ? compileResponseWriter(rule, deps, encoding) : undefined,
    stream: unary ? undefined : compileStreamWriter(rule, deps, encoding),
  }
}

interface Routed {
  readonly match: PathMatch<Endpoint>
  readonly query: string
  readonly peer: string
}

function serve(server: HttpServer, response: ServerResponse, routed: Routed): void {
  const endpoint = routed.match.route.target
  setRoute(response, endpoint.rule.template.text)
  const request = response.req
  try {
    checkEncoding(request)
    const body = hasBody(request) ? readBody(response, endpoint.bytesMax) : noBody
    if (body instanceof Promise) {
      body.then((bytes) => call(server, response, routed, bytes)).catch((error) => refuse(server, response, error))
    } else {
      call(server, response, routed, body)
    }
  } catch (error) {
    refuse(server, response, error)
  }
}

const noBody = Buffer.alloc(0)

function call(server: HttpServer, response: ServerResponse, { match, query, peer }: Routed, body: Uint8Array): void {
  const endpoint = match.route.target
  const { headers } = response.req
  const message = endpoint.read({
    segments: match.segments,
    query,
    body,
    contentType: headers['content-type'],
    ifMatch: ifMatchOf(headers),
  })
  const timeoutMs = timeoutOf(headers)
  const context = createCallContext({
    method: endpoint.rule.method,
    transport: 'rest',
    requestHeaders: () => callHeadersOf(headers, requestIdOf(response)),
    peer,
    clock: server.clock,
    ...(timeoutMs === undefined ? {} : { deadlineMs: server.clock.monotonicMs() + timeoutMs }),
  })
  ;(response as Served)[callKey] = context
  response.on('close', cancelIfCut)
  if (endpoint.stream) {
    if (response.req.method === 'HEAD') {
      // What a stream would say cannot be known without opening it.
      server.answers.send(response, 200, ['cache-control', 'no-store'], '')
      return
    }
    const messages = endpoint.bound.stream(once(message), context)
    endpoint.stream(response, messages, context).catch((error) => refuse(server, response, error))
    return
  }
  const write = endpoint.write as WriteResponse
  endpoint.bound
    .unary(message, context)
    .then((answer) => write(response, answer, context))
    .catch((error) => refuse(server, response, error))
}

const callKey = Symbol('plinth.call')
type Served = ServerResponse & { [callKey]?: OpenCall }

/** One function for all answers: a closure per request would be garbage per request. */
function cancelIfCut(this: ServerResponse): void {
  if (!this.writableFinished) (this as Served)[callKey]?.cancel()
}

async function* once(message: Message): AsyncGenerator<Message> {
  yield message
}

function refuse(server: HttpServer, response: ServerResponse, error: unknown): void {
  server.answers.sendProblem(response, fromUnknown(error))
}

/** Compressed bodies are not unpacked: a small one can be a large one in disguise. */
function checkEncoding(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding']
  if (encoding === undefined || encoding === 'identity') return
  throw httpError('http.media_type', `The body is encoded with ${encoding}, and this server takes it plain`)
}
