/**
 * Every field of every method, wrong in every way that its contract knows: refused by REST and gRPC with the field's
 * name, and nothing of it stored. The requests are made from the descriptors.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { fromJson } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { CatalogService } from '@plinth/catalog-service/contract'
import {
  type Json,
  type JsonObject,
  type RestBinding,
  roleFor,
  type ServedMethod,
  servedMethods,
  toRest,
  validRequest,
} from './harness/contracts.ts'
import { type Mutation, mutationsOf } from './harness/mutations.ts'
import { assertNoFlaws, assertUnharmed, flawOf } from './harness/refusals.ts'
import { openShop, type Shop } from './harness/shop.ts'
import { storedContents } from './harness/stored.ts'

let shop: Shop
let productId: string
let stored: ReadonlyMap<string, string>
const tokens = new Map<string | undefined, string | undefined>()

before(async () => {
  shop = await openShop()
  tokens.set('operator', shop.operator.token)
  tokens.set('customer', (await shop.customer()).token)
  tokens.set('service', await shop.serviceToken())
  productId = await shop.stock(3)
  stored = await settledContents()
})

after(() => shop[Symbol.asyncDispose]())

/** The contents once the events of what was done before have been carried on. */
async function settledContents(): Promise<ReadonlyMap<string, string>> {
  for (let last = '', same = 0; ; ) {
    const contents = await storedContents(shop.program.dir)
    const now = JSON.stringify([...contents])
    same = now === last ? same + 1 : 0
    if (same === 3) return contents
    last = now
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function assertNothingStored(): Promise<void> {
  assert.deepEqual(Object.fromEntries(await settledContents()), Object.fromEntries(stored))
  await assertUnharmed(shop)
}

function send(served: ServedMethod, binding: RestBinding, { field, request }: Mutation) {
  const { query, body } = toRest(binding, request)
  // A resource that is wrong as a whole gives its path no id.
  const { path } = toRest(binding, binding.variables.includes(field) ? request : validRequest(served.method))
  const url = query === '' ? path : `${path}?${query}`
  return sendTo(served, { verb: binding.verb, url, body })
}

function sendTo(served: ServedMethod, { verb, url, body }: { verb: string; url: string; body?: Json | undefined }) {
  return shop.rest(url, {
    method: verb,
    token: tokens.get(roleFor(served.policy)),
    headers: { 'idempotency-key': randomUUID() },
    ...(body === undefined ? {} : { json: body }),
  })
}

const restMethods = servedMethods.flatMap((served) => served.bindings.map((binding) => ({ served, binding })))

/** Whether the field of a mutation travels in the body. */
function isInBody({ variables, body }: RestBinding, { field }: { readonly field: string }): boolean {
  if (variables.some((variable) => field === variable || field.startsWith(`${variable}.`))) return false
  return (
    body === '*' || (body !== '' && (field === body || field.startsWith(`${body}.`) || field.startsWith(`${body}[`)))
  )
}

describe('bad input, field by field', () => {
  it('a body with a wrong field is refused by REST with the name of the field', async () => {
    const checks = restMethods.flatMap(({ served, binding }) =>
      mutationsOf(served.method)
        .filter((mutation) => isInBody(binding, mutation) && !binding.isRaw)
        // Updates look only at what their mask names; what is broken there is found when it is merged.
        .filter(({ breaks }) => breaks === 'type' || binding.verb !== 'PATCH')
        .map((mutation) => ({
          name: `${binding.verb} ${binding.template} ${mutation.field}: ${mutation.what}`,
          run: async () => flawOf(await send(served, binding, mutation), mutation.field),
        })),
    )
    await assertNoFlaws(checks)
    await assertNothingStored()
  })

  it('a body with a field that no message has is refused with its name', async () => {
    const checks = restMethods
      .filter(({ binding }) => binding.body !== '' && !binding.isRaw)
      .flatMap(({ served, binding }) =>
        ['noSuchField', 'constructor', '__proto__', 'toString'].map((name) => ({
          name: `${binding.verb} ${binding.template} ${name}`,
          run: async () => {
            const { path, query, body } = toRest(binding, validRequest(served.method))
            const extended = JSON.parse(
              `${JSON.stringify(body ?? {}).replace(/\}$/, '')},"${name}":{}}`.replace('{,', '{'),
            )
            const field = binding.body === '*' ? name : `${binding.body}.${name}`
            return flawOf(await sendTo(served, { verb: binding.verb, url: `${path}?${query}`, body: extended }), field)
          },
        })),
      )
    await assertNoFlaws(checks)
    await assertNothingStored()
  })

  it('a query with a wrong parameter is refused with its name', async () => {
    const checks = restMethods.flatMap(({ served, binding }) => {
      const { path, query } = toRest(binding, validRequest(served.method))
      const from = (parameters: string) => () => sendTo(served, { verb: binding.verb, url: `${path}?${parameters}` })
      const name = `${binding.verb} ${binding.template}`
      const unknown = ['noSuchField=1', '__proto__=1', 'constructor=1', '__proto__.isAdmin=1', '%5B%5D=1'].map(
        (text) => ({
          name: `${name}?${text}`,
          run: async () => flawOf(await from(text)(), decodeURIComponent(text.slice(0, text.indexOf('=')))),
        }),
      )
      if (query === '') return unknown
      const twice = query
        .split('&')
        .filter((pair) => !/^productIds=/.test(pair))
        .map((pair) => ({
          name: `${name}?${pair} twice`,
          run: async () => flawOf(await from(`${query}&${pair}`)(), pair.slice(0, pair.indexOf('='))),
        }))
      return [...unknown, ...twice]
    })
    await assertNoFlaws(checks)
    await assertNothingStored()
  })

  it('a wrong value in a path or a query is refused with the name of its field', async () => {
    const checks = restMethods.flatMap(({ served, binding }) =>
      mutationsOf(served.method)
        .filter((mutation) => !isInBody(binding, mutation) && !binding.isRaw && isText(mutation, binding))
        .map((mutation) => ({
          name: `${binding.verb} ${binding.template} ${mutation.field}: ${mutation.what}`,
          run: async () => flawOf(await send(served, binding, mutation), mutation.field),
        })),
    )
    await assertNoFlaws(checks)
    await assertNothingStored()
  })

  it('a message that breaks a rule is refused by gRPC with the name of the field', async () => {
    const checks = servedMethods
      .filter(({ method }) => method !== updateProduct)
      .flatMap((served) =>
        ruleBreakers(served).map((mutation) => ({
          name: `${served.name} ${mutation.field}: ${mutation.what}`,
          run: () => flawOverGrpc(served, mutation),
        })),
      )
    await assertNoFlaws(checks)
    await assertNothingStored()
  })

  it('a change that would leave a product broken is refused with the name of the field', async () => {
    const served = servedMethods.find(({ method }) => method === updateProduct)!
    const checks = ruleBreakers(served).map((mutation) => {
      const [, member = ''] = mutation.field.split(/[.[]/)
      const product = { ...(mutation.request.product as JsonObject), productId }
      const request = { product, updateMask: member }
      return {
        name: `${mutation.field}: ${mutation.what}`,
        run: () => flawOverGrpc(served, { ...mutation, request }),
      }
    })
    await assertNoFlaws(checks)
    await assertNothingStored()
  })
})

/** Checks what it changes only once that is merged with what is there. */
const updateProduct = CatalogService.method.updateProduct

function ruleBreakers({ method }: ServedMethod): readonly Mutation[] {
  return mutationsOf(method).filter(({ breaks }) => breaks === 'rule')
}

/** Whether a mutation means something where everything is text: there a number for a text is none. */
function isText({ field, what, request }: Mutation, { variables }: RestBinding): boolean {
  const value = field.split('.').reduce<Json | undefined>((at, key) => (at as Record<string, Json>)?.[key], request)
  if (Array.isArray(value) ? value.length === 0 : typeof value === 'object') return false
  if (what === 'half of a surrogate pair' || /^(a number|a boolean)$| list$/.test(what)) return false
  // An empty value in a path is another path.
  return !(variables.includes(field) && value === '')
}

async function flawOverGrpc(served: ServedMethod, mutation: Mutation): Promise<string | undefined> {
  const { method } = served
  const message = fromJson(method.input, mutation.request)
  const transport = shop.transport(tokens.get(roleFor(served.policy)))
  const options = { idempotencyKey: randomUUID(), timeoutMs: 20_000 }
  try {
    if (method.methodKind === 'unary') await transport.unary(method, message, options)
    else for await (const _ of transport.stream(method, once(message), options)) break
    return 'was accepted'
  } catch (error) {
    if (!PlatformError.is(error) || error.kind !== 'invalid') return String(error)
    const named = (error.details.violations ?? []).map(({ field }) => field)
    return named.includes(mutation.field) ? undefined : `names ${JSON.stringify(named)} (${error.code})`
  }
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value
}
