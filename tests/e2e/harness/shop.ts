/**
 * A running shop with its callers: what every end-to-end suite begins with.
 * @module
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { DescService } from '@bufbuild/protobuf'
import { type Client, type Contract, createClient, createGrpcTransport, type Transport } from '@plinth/rpc'
import { loginOperator, openMint, type Person, serviceToken, signUp } from './people.ts'
import { type Program, type ProgramOptions, startProgram } from './program.ts'
import { createRest, type Rest } from './rest.ts'

export interface Shop extends AsyncDisposable {
  readonly program: Program
  readonly rest: Rest
  readonly operator: Person
  readonly mint: Awaited<ReturnType<typeof openMint>>
  /** A client over gRPC that calls with this token. */
  grpc<S extends DescService>(contract: Contract<S>, token?: string): Client<S>
  transport(token?: string): Transport
  /** Signs a new customer up and in. */
  customer(): Promise<Person>
  /** A token by which processes of a shop call each other. */
  serviceToken(): Promise<string>
  /** A new product with stock; answers its id. */
  stock(units: number, facts?: Readonly<Record<string, unknown>>): Promise<string>
}

/** Accounts work at once and nobody is locked out, so that a suite can make mistakes by the thousand. */
const easySettings = ['identity.verification=optional', 'identity.addressFailuresFree=100000', 'orders.sweepMs=100ms']

/** Starts the program and signs its operator in. Disposing ends it; `program.stop()` ends it in good order. */
export async function openShop(options: ProgramOptions = {}): Promise<Shop> {
  await using undo = new AsyncDisposableStack()
  const settings = [...easySettings, ...(options.settings ?? [])]
  const program = undo.use(await startProgram({ ...options, settings }))
  const rest = createRest(program.http)
  const operator = await loginOperator(rest, program.dir)
  const mint = undo.use(await openMint(program.dir))
  const transports = new Map<string, Transport>()
  undo.defer(async () => {
    for (const transport of transports.values()) await transport[Symbol.asyncDispose]()
  })
  const transport = (token = '') =>
    transports.getOrInsertComputed(token, () =>
      createGrpcTransport({
        address: program.grpc,
        ...(token === '' ? {} : { headers: () => ({ authorization: `Bearer ${token}` }) }),
      }),
    )
  const resources = undo.move()
  return {
    program,
    rest,
    operator,
    mint,
    transport,
    grpc: (contract, token) => createClient(contract.service, transport(token)),
    customer: () => signUp(rest),
    serviceToken: () => serviceToken(program.dir),
    stock: (units, facts) => stockProduct(rest, operator.token, { units, facts }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Makes a product and gives it stock, by REST. */
export async function stockProduct(
  rest: Rest,
  token: string,
  { units, facts }: { readonly units: number; readonly facts?: Readonly<Record<string, unknown>> | undefined },
): Promise<string> {
  const json = {
    sku: randomUUID(),
    title: 'Sunrise',
    category: 'drama',
    price: { amountMinor: '1250', currency: 'EUR' },
    ...facts,
  }
  const made = await rest('/v1/products', { token, json })
  assert.equal(made.status, 200, made.text)
  const { productId } = made.json
  const stocked = await rest(`/v1/products/${productId}/stock:adjust`, { token, json: { delta: units } })
  assert.equal(stocked.status, 200, stocked.text)
  return productId
}
