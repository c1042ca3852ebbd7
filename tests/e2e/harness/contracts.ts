/**
 * Every method the shop serves, read from the contracts: what is generated from here misses nothing that is added.
 * @module
 */
import { type DescMethod, getOption, hasOption } from '@bufbuild/protobuf'
import { type MethodPolicy, policy } from '@plinth/rpc/contract'
import { http } from '@plinth/rpc/contract/google/api/annotations_pb.js'
import { exampleOf } from '@plinth/rpc/testing'
import { services } from '../../../apps/plinth/src/host/services.ts'

/** JSON that tests take apart. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

export interface ServedMethod {
  /** `plinth.orders.v1.OrdersService/PlaceOrder`. */
  readonly name: string
  readonly method: DescMethod
  readonly policy: MethodPolicy
  readonly bindings: readonly RestBinding[]
}

/** One way to reach a method over REST. */
export interface RestBinding {
  readonly verb: string
  /** `/v1/orders/{order_id}:pay`. */
  readonly template: string
  /** JSON paths of what the path holds. */
  readonly variables: readonly string[]
  /** `*`, the JSON name of a field, or empty. */
  readonly body: string
  /** Whether the body is bytes with a type of their own, not JSON. */
  readonly isRaw: boolean
}

export const servedMethods: readonly ServedMethod[] = Object.values(services).flatMap(({ contracts }) =>
  contracts.flatMap(({ service }) =>
    service.methods.map((method) => ({
      name: `${service.typeName}/${method.name}`,
      method,
      policy: getOption(method, policy),
      bindings: bindingsOf(method),
    })),
  ),
)

/** A role that may call a method; undefined where anybody may. */
export function roleFor({ access }: MethodPolicy): 'customer' | 'operator' | 'service' | undefined {
  if (access?.rule.case === 'anonymous') return undefined
  if (access?.rule.case !== 'anyRole') return 'customer'
  const { role } = access.rule.value
  return (['operator', 'customer', 'service'] as const).find((name) => role.includes(name))
}

/** Fields that a caller may leave out, and whose examples mean nothing to the server. */
const leftOut = new Set(['pageToken', 'updateMask', 'etag'])

/** Names nothing that exists. */
export const nobodysId = '01890a5d-ac96-774b-bcce-b302099a8057'

/** A request that the contract accepts. Nothing it names exists. */
export function validRequest(method: DescMethod): JsonObject {
  return fillIds(exampleOf(method.input, leftOut) as JsonObject) as JsonObject
}

function fillIds(value: Json): Json {
  if (Array.isArray(value)) return value.map(fillIds)
  if (value === null || typeof value !== 'object') return value
  const filled = Object.entries(value).map(([key, inner]) => [key, /^id$|Id$/.test(key) ? nobodysId : fillIds(inner)])
  return Object.fromEntries(filled.filter(([key]) => key !== 'etag'))
}

export interface RestParts {
  readonly path: string
  readonly query: string
  readonly body: Json | undefined
}

/** Lays a request out as a binding has it: path, query and body. */
export function toRest(binding: RestBinding, request: JsonObject): RestParts {
  const rest = structuredClone(request)
  const path = binding.template.replaceAll(/\{([^}=]+)(?:=[^}]*)?\}/g, (_, name: string) =>
    encodeURIComponent(String(take(rest, jsonPath(name)) ?? '')),
  )
  if (binding.body === '*') return { path, query: '', body: rest }
  const body = binding.body === '' ? undefined : (rest[binding.body] ?? undefined)
  if (binding.body !== '') delete rest[binding.body]
  return { path, query: queryOf(rest), body }
}

/** The parameters of a query: nested fields with dots, lists repeated. */
export function queryOf(request: JsonObject): string {
  const pairs: string[] = []
  const add = (name: string, value: Json): void => {
    if (Array.isArray(value)) for (const item of value) add(name, item)
    else if (value !== null && typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) add(name === '' ? key : `${name}.${key}`, inner)
    } else pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
  }
  add('', request)
  return pairs.join('&')
}

function bindingsOf(method: DescMethod): readonly RestBinding[] {
  if (!hasOption(method, http)) return []
  const rule = getOption(method, http)
  return [rule, ...rule.additionalBindings].map(({ pattern, body }) => {
    const template = String(pattern.case === 'custom' ? pattern.value.path : pattern.value)
    const variables = [...template.matchAll(/\{([^}=]+)/g)].map(([, name]) => jsonPath(name as string))
    return {
      verb: String(pattern.case).toUpperCase(),
      template,
      variables,
      body: body === '*' ? '*' : jsonPath(body),
      isRaw: method.input.fields.some((field) => field.name === body && field.message?.name === 'HttpBody'),
    }
  })
}

function jsonPath(path: string): string {
  return path.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function take(request: JsonObject, path: string): Json | undefined {
  const [first = '', ...more] = path.split('.')
  const value = request[first]
  if (more.length > 0) return take(value as JsonObject, more.join('.'))
  delete request[first]
  return value
}
