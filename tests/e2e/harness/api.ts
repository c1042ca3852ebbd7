/**
 * One way to call a shop, whatever the wire: JSON in, JSON out, as proto3 JSON has it. A story told through it is told by
 * REST and by gRPC with the same words.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { type DescMethod, fromJson, type Message, toJson } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { type JsonObject, type ServedMethod, servedMethods, toRest } from './contracts.ts'
import { initOf } from './rest.ts'
import type { Shop } from './shop.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely, and an assertion fails on what is not there.
type Answered = any

export interface ApiOptions {
  readonly token?: string | undefined
  /** @default a new one */
  readonly key?: string
}

export interface Api {
  /** Calls a method by its short name, `OrdersService/PlaceOrder`. @throws PlatformError with the code of the refusal. */
  call(name: string, request: JsonObject, options?: ApiOptions): Promise<Answered>
  stream(name: string, request: JsonObject, options?: ApiOptions): AsyncIterable<Answered>
}

function find(name: string): ServedMethod {
  const found = servedMethods.find((served) => served.name.endsWith(`.${name}`))
  if (!found) throw new Error(`no method ${name}`)
  return found
}

/** By gRPC. */
export function createGrpcApi(shop: Shop): Api {
  const optionsOf = ({ token, key = randomUUID() }: ApiOptions = {}) => ({
    idempotencyKey: key,
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  })
  const encode = (method: DescMethod, answer: unknown) =>
    toJson(method.output, answer as Message, { alwaysEmitImplicit: true })
  return {
    async call(name, request, options) {
      const { method } = find(name)
      const answer = await shop.transport().unary(method, fromJson(method.input, request), optionsOf(options))
      return encode(method, answer)
    },
    async *stream(name, request, options) {
      const { method } = find(name)
      const requests = (async function* () {
        yield fromJson(method.input, request)
      })()
      for await (const answer of shop.transport().stream(method, requests, optionsOf(options))) {
        yield encode(method, answer)
      }
    },
  }
}

/** By REST; streams as lines of JSON or as server-sent events. */
export function createRestApi(shop: Shop, streams: 'ndjson' | 'sse'): Api {
  async function send(name: string, request: JsonObject, options: ApiOptions = {}, accept?: string) {
    const [binding] = find(name).bindings
    if (!binding) throw new Error(`${name} has no form in REST`)
    const { path, query, body } = toRest(binding, request)
    const { token, key = randomUUID() } = options
    const init = initOf({
      method: binding.verb,
      token,
      headers: { 'idempotency-key': key, ...(accept && { accept }) },
      ...(body === undefined ? {} : { json: body }),
    })
    const response = await fetch(`${shop.program.http}${path}${query && '?'}${query}`, init)
    if (response.ok) return response
    const { detail, code, retryable } = (await response.json()) as { detail: string; code: string; retryable: boolean }
    throw new PlatformError(detail, { kind: 'invalid', code, retryable })
  }
  return {
    call: async (name, request, options) => await (await send(name, request, options)).json(),
    async *stream(name, request, options) {
      const accept = streams === 'sse' ? 'text/event-stream' : 'application/x-ndjson'
      const { body } = await send(name, request, options, accept)
      let event = ''
      for await (const line of createInterface({ input: Readable.fromWeb(body as never) })) {
        if (streams === 'ndjson') yield JSON.parse(line)
        else if (line.startsWith('event: ')) event = line.slice(7)
        else if (line.startsWith('data: ') && event === '') yield JSON.parse(line.slice(6))
      }
    },
  }
}
