/**
 * The same shop laid out over one or several processes, each with a folder of its own, as on machines of their own.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DescService } from '@bufbuild/protobuf'
import { type Client, type Contract, createClient, createGrpcTransport, type Transport } from '@plinth/rpc'
import { type ServiceName, services } from '../../apps/plinth/src/host/services.ts'
import { openDatabase } from '../e2e/harness/open-database.ts'
import { loginOperator, openMint, type Person } from '../e2e/harness/people.ts'
import { freePorts, type Program, startProgram } from '../e2e/harness/program.ts'
import { createRest, type Rest } from '../e2e/harness/rest.ts'

/** Which services run together. */
export type Layout = readonly (readonly ServiceName[])[]

export const layouts = {
  'one process': [['identity', 'catalog', 'orders', 'payments', 'events']],
  'two processes': [
    ['identity', 'catalog', 'events'],
    ['orders', 'payments'],
  ],
  'a process for each service': [['events'], ['identity'], ['catalog'], ['payments'], ['orders']],
} as const satisfies Record<string, Layout>

export interface TopologyOptions {
  readonly layout: Layout
  /** A URL of PostgreSQL. @default SQLite */
  readonly postgresUrl?: string | undefined
}

/** One process of a layout, which can be stopped and started again at the same place. */
export interface Place {
  readonly services: readonly ServiceName[]
  program(): Program
  start(): Promise<Program>
}

export interface RunningShop extends AsyncDisposable {
  readonly places: readonly Place[]
  /** The process that runs a service. */
  placeOf(service: ServiceName): Place
  /** REST at the process of orders, which passes on what it does not serve. */
  readonly rest: Rest
  readonly operator: Person
  readonly mint: Awaited<ReturnType<typeof openMint>>
  /** A client over gRPC, at the process that serves the contract. */
  grpc<S extends DescService>(contract: Contract<S>, token?: string): Client<S>
}

const settings = [
  'identity.verification=optional',
  'identity.addressFailuresFree=10000',
  'orders.sweepMs=100ms',
  'payments.sweepMs=50ms',
  'payments.simulatorSlowMs=100ms',
]

/** Lays the shop out without starting it. */
export async function planTopology({ layout, postgresUrl }: TopologyOptions) {
  await using undo = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'plinth-topology-'))
  undo.defer(() => rm(root, { recursive: true, force: true }))
  const database = postgresUrl === undefined ? undefined : undo.use(openDatabase(postgresUrl))
  const ports = await freePorts(layout.length)
  const addresses = new Map(layout.flatMap((group, at) => group.map((name) => [name, `127.0.0.1:${ports[at]}`])))
  const environment = {
    PLINTH_CLUSTER__SECRET: randomBytes(24).toString('hex'),
    ...(postgresUrl && { PLINTH_DATA__POSTGRES_URL: postgresUrl }),
  }
  const running = new Set<Program>()
  undo.defer(async () => {
    await Promise.all([...running].map((program) => program[Symbol.asyncDispose]()))
  })
  const places = await Promise.all(
    layout.map(async (group, at): Promise<Place> => {
      const dir = join(root, group.join('-'))
      await mkdir(dir)
      let current: Program | undefined
      return {
        services: group,
        program() {
          if (!current) throw new Error(`${group} was not started`)
          return current
        },
        async start() {
          current = await startProgram({
            dir,
            services: group,
            peers: [...addresses].filter(([name]) => !group.includes(name)).map(([name, where]) => `${name}=${where}`),
            settings: [...settings, `grpc.port=${ports[at]}`, ...(database?.settings ?? [])],
            environment,
          })
          running.add(current)
          return current
        },
      }
    }),
  )
  const resources = undo.move()
  return { places, addresses, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** Starts every process of the layout at once and signs the operator in. */
export async function openTopology(options: TopologyOptions): Promise<RunningShop> {
  await using undo = new AsyncDisposableStack()
  const plan = undo.use(await planTopology(options))
  // All have settled before one failure ends the others.
  for (const start of await Promise.allSettled(plan.places.map((place) => place.start()))) {
    if (start.status === 'rejected') throw start.reason
  }
  const placeOf = (service: ServiceName) => plan.places.find((place) => place.services.includes(service))!
  const rest: Rest = (path, request) => createRest(placeOf('orders').program().http)(path, request)
  const { dir } = placeOf('identity').program()
  const operator = await loginOperator(rest, dir)
  const mint = undo.use(await openMint(dir))
  const transports = new Map<string, Transport>()
  undo.defer(async () => {
    for (const transport of transports.values()) await transport[Symbol.asyncDispose]()
  })
  const resources = undo.move()
  return {
    places: plan.places,
    placeOf,
    rest,
    operator,
    mint,
    grpc(contract, token = '') {
      const address = plan.addresses.get(ownerOf(contract))!
      const transport = transports.getOrInsertComputed(`${address} ${token}`, () =>
        createGrpcTransport({
          address,
          ...(token === '' ? {} : { headers: () => ({ authorization: `Bearer ${token}` }) }),
        }),
      )
      return createClient(contract.service, transport)
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function ownerOf(contract: Contract): ServiceName {
  for (const [name, { contracts }] of Object.entries(services)) {
    if ((contracts as readonly Contract[]).some((one) => one.name === contract.name)) return name as ServiceName
  }
  throw new Error(`no service serves ${contract.name}`)
}
