/**
 * Callers who are not who they say, may not do what they ask, or ask with what is another's: every method, by REST and
 * by gRPC.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { fromJson } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { IdempotencyKey } from '@plinth/rpc/contract'
import {
  type RestBinding,
  roleFor,
  type ServedMethod,
  servedMethods,
  toRest,
  validRequest,
} from './harness/contracts.ts'
import { assertNoFlaws, assertUnharmed, flawOf } from './harness/refusals.ts'
import { openShop, type Shop } from './harness/shop.ts'

let shop: Shop
const badTokens = new Map<string, string>()

before(async () => {
  shop = await openShop()
  const customer = await shop.customer()
  const [header = '', payload = '', signature = ''] = customer.token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const other = generateKeyPairSync('ed25519')
  const named = (alg: string) => encode({ ...JSON.parse(Buffer.from(header, 'base64url').toString()), alg })
  const signedBy = (head: string, body: string) =>
    `${head}.${body}.${sign(null, Buffer.from(`${head}.${body}`), other.privateKey).toString('base64url')}`
  const asOperator = encode({ ...claims, roles: ['operator', 'service'] })
  for (const [why, token] of Object.entries({
    'no token at all': '.',
    'not a token': 'x'.repeat(60),
    'two parts': `${header}.${payload}`,
    'no algorithm': `${encode({ alg: 'none', typ: 'at+jwt' })}.${asOperator}.`,
    'no algorithm, signed': `${named('none')}.${asOperator}.${signature}`,
    'another algorithm': `${named('HS256')}.${asOperator}.${signature}`,
    'other claims under the old signature': `${header}.${asOperator}.${signature}`,
    "another's key": signedBy(header, asOperator),
    'an expired token': await shop.mint.token({ roles: ['operator', 'service'], issuedAtMs: Date.now() - 86_400_000 }),
    'a token of tomorrow': await shop.mint.token({ roles: ['operator'], issuedAtMs: Date.now() + 86_400_000 }),
    'a refresh token': customer.refreshToken,
    'a huge token': `${header}.${'A'.repeat(6_000)}.${signature}`,
    'a cut token': customer.token.slice(0, -1),
    'a token with a tail': `${customer.token}AA`,
  })) {
    badTokens.set(why, token)
  }
})

after(() => shop[Symbol.asyncDispose]())

function encode(json: unknown): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url')
}

const guarded = servedMethods.filter(({ policy }) => policy.access?.rule.case !== 'anonymous')
const guardedBindings = guarded.flatMap((served) => served.bindings.map((binding) => ({ served, binding })))

async function overRest(served: ServedMethod, binding: RestBinding, headers: Record<string, string>) {
  const { path, query, body } = toRest(binding, validRequest(served.method))
  return await shop.rest(`${path}${query && '?'}${query}`, {
    method: binding.verb,
    headers: { 'idempotency-key': randomUUID(), ...headers },
    ...(body === undefined ? {} : { json: body }),
  })
}

async function overGrpc({ method }: ServedMethod, headers: Record<string, string>): Promise<string> {
  const message = fromJson(method.input, validRequest(method))
  const options = { timeoutMs: 10_000, headers: { 'idempotency-key': randomUUID(), ...headers } }
  try {
    const transport = shop.transport()
    if (method.methodKind === 'unary') await transport.unary(method, message, options)
    else for await (const _ of transport.stream(method, once(message), options)) break
    return 'accepted'
  } catch (error) {
    return PlatformError.is(error) ? error.kind : String(error)
  }
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value
}

describe('bad input, callers', () => {
  it('nobody and every kind of bad token are refused as unauthenticated by REST', async () => {
    const tries = [...badTokens].map(([why, token]) => [why, { authorization: `Bearer ${token}` }] as const)
    const others = [
      ['nobody', {}],
      ['an empty header', { authorization: '' }],
      ['another scheme', { authorization: 'Basic b3BlcmF0b3I6eA==' }],
      ['no scheme', { authorization: shop.operator.token }],
      ['two tokens', { authorization: `Bearer ${shop.operator.token} ${shop.operator.token}` }],
    ] as const
    const checks = guardedBindings.flatMap(({ served, binding }) =>
      [...tries, ...others].map(([why, headers]) => ({
        name: `${binding.verb} ${binding.template} with ${why}`,
        run: async () => {
          const answer = await overRest(served, binding, headers)
          return flawOf(answer) ?? (answer.status === 401 ? undefined : `status ${answer.status}: ${answer.text}`)
        },
      })),
    )
    await assertNoFlaws(checks)
    await assertUnharmed(shop)
  })

  it('nobody and every kind of bad token are refused as unauthenticated by gRPC', async () => {
    const checks = guarded.flatMap((served) =>
      [...badTokens, ['nobody', undefined] as const].map(([why, token]) => ({
        name: `${served.name} with ${why}`,
        run: async () => {
          const outcome = await overGrpc(served, token === undefined ? {} : { authorization: `Bearer ${token}` })
          return outcome === 'unauthenticated' ? undefined : outcome
        },
      })),
    )
    await assertNoFlaws(checks)
    await assertUnharmed(shop)
  })

  it('the wrong role is forbidden', async () => {
    const tokens = {
      customer: await shop.mint.token({ roles: ['customer'] }),
      operator: shop.operator.token,
      nothing: await shop.mint.token({ roles: ['visitor'] }),
    }
    const checks = guarded
      .filter(({ policy }) => policy.access?.rule.case === 'anyRole')
      .flatMap((served) => {
        const { rule } = served.policy.access!
        const allowed = rule.case === 'anyRole' ? rule.value.role : []
        return Object.entries(tokens)
          .filter(([role]) => !allowed.includes(role))
          .map(([role, token]) => ({
            name: `${served.name} as ${role}`,
            run: async () => {
              const headers = { authorization: `Bearer ${token}` }
              const outcome = await overGrpc(served, headers)
              if (outcome !== 'forbidden') return outcome
              const [binding] = served.bindings
              const answer = binding && (await overRest(served, binding, headers))
              return answer && (flawOf(answer) ?? (answer.status === 403 ? undefined : `status ${answer.status}`))
            },
          }))
      })
    await assertNoFlaws(checks)
  })

  it("another's order is not found, whatever is asked of it", async () => {
    const owner = await shop.mint.token()
    const stranger = await shop.mint.token()
    const productId = await shop.stock(1)
    const placed = await shop.rest('/v1/orders', {
      token: owner,
      json: { lines: [{ productId, quantity: 1 }] },
      headers: { 'idempotency-key': randomUUID() },
    })
    const { orderId } = placed.json
    const about = servedMethods.filter(
      ({ name, policy, bindings }) =>
        name.startsWith('plinth.orders.') &&
        roleFor(policy) === 'customer' &&
        bindings.some(({ variables }) => variables.some((variable) => variable.endsWith('orderId'))),
    )
    const checks = about.flatMap((served) =>
      served.bindings.map((binding) => ({
        name: `${binding.verb} ${binding.template}`,
        run: async () => {
          const request = validRequest(served.method)
          if (request.order !== undefined) request.order = { orderId, note: 'mine now' }
          else request.orderId = orderId
          const { path, body } = toRest(binding, request)
          const answer = await shop.rest(path, {
            method: binding.verb,
            token: stranger,
            headers: { 'idempotency-key': randomUUID() },
            ...(body === undefined ? {} : { json: body }),
          })
          return flawOf(answer) ?? (answer.json.code === 'orders.not_found' ? undefined : answer.text)
        },
      })),
    )
    assert.ok(checks.length >= 6, `only ${checks.length}`)
    await assertNoFlaws(checks)
    const now = await shop.rest(`/v1/orders/${orderId}`, { token: owner })
    assert.deepEqual(now.json, placed.json)
  })

  it("another's session cannot be ended, and another's list is not shown", async () => {
    const [ada, eve] = [await shop.customer(), await shop.customer()]
    const ended = await shop.rest(`/v1/auth/sessions/${ada.sessionId}`, { method: 'DELETE', token: eve.token })
    assert.ok(ended.status === 404 || ended.status === 200, ended.text)
    assert.equal((await shop.rest('/v1/me', { token: ada.token })).status, 200)
    const list = await shop.rest(`/v1/orders?customerId=${ada.id}`, { token: eve.token })
    assert.ok(list.status === 403 || list.json.orders.length === 0, list.text)
  })

  it('a bad page token is refused with its name by every list', async () => {
    const made = Buffer.from('1790000000000 01890a5d-ac96-774b-bcce-b302099a8057').toString('base64url')
    const tokens = ['x', '!', '-1', '1e3', '00', '%00', 'null', `${made}=`, `${made}%20`, 'AAAA']
    const lists = servedMethods.filter(({ method }) => method.input.fields.some(({ name }) => name === 'page_token'))
    const checks = lists.flatMap((served) =>
      tokens.map((token) => ({
        name: `${served.name} ${token}`,
        run: async () => {
          const [binding] = served.bindings
          const answer = await shop.rest(`${toRest(binding!, {}).path}?pageToken=${token}`, {
            token: shop.operator.token,
          })
          return flawOf(answer, 'pageToken')
        },
      })),
    )
    await assertNoFlaws(checks)
    await assertUnharmed(shop)
  })

  it('a mask that names what cannot be changed is refused with its name', async () => {
    const masks = [
      'noSuchField',
      'id',
      'createdAt',
      'a.b.c',
      'displayName.x',
      '__proto__',
      ',',
      'note,status',
      'price.x',
    ]
    const customer = await shop.customer()
    const productId = await shop.stock(1)
    const paths: readonly [string, string, unknown][] = [
      ['/v1/me', customer.token, { displayName: 'Eve' }],
      [`/v1/users/${customer.id}`, shop.operator.token, { displayName: 'Eve' }],
      [`/v1/products/${productId}`, shop.operator.token, { title: 'Eve' }],
      [`/v1/orders/${randomUUID()}`, customer.token, { note: 'Eve' }],
    ]
    const checks = paths.flatMap(([path, token, json]) =>
      masks.map((mask) => ({
        name: `${path}?updateMask=${mask}`,
        run: async () =>
          flawOf(await shop.rest(`${path}?updateMask=${mask}`, { method: 'PATCH', token, json }), 'updateMask'),
      })),
    )
    await assertNoFlaws(checks)
    await assertUnharmed(shop)
  })

  it('a bad idempotency key is refused by every command that takes one', async () => {
    const commands = servedMethods.filter(({ policy }) => policy.idempotencyKey !== IdempotencyKey.UNSPECIFIED)
    const keys = ['', ' ', 'a b', 'x'.repeat(256), 'caf\u00e9', 'a\tb']
    const checks = commands.flatMap((served) =>
      keys.map((key) => ({
        name: `${served.name} ${JSON.stringify(key).slice(0, 20)}`,
        run: async () => {
          const headers = {
            authorization: `Bearer ${await shop.mint.token({ roles: [roleFor(served.policy) ?? ''] })}`,
          }
          return flawOf(await overRest(served, served.bindings[0]!, { ...headers, 'idempotency-key': key }))
        },
      })),
    )
    await assertNoFlaws(checks)
    const token = await shop.mint.token()
    const lines = [{ productId: await shop.stock(9), quantity: 1 }]
    const headers = { 'idempotency-key': randomUUID() }
    assert.equal((await shop.rest('/v1/orders', { token, json: { lines }, headers })).status, 200)
    const other = await shop.rest('/v1/orders', { token, json: { lines, note: 'other' }, headers })
    assert.equal(flawOf(other), undefined)
  })
})
