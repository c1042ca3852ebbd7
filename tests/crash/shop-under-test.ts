/**
 * A shop of one or more processes on one folder: opened, stocked, killed, opened again, and audited at the end.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSeededRandom, type Random, systemClock } from '@plinth/base'
import { audit, type Books, type Discrepancy, readBooks, stillMoving, storyOf } from './books.ts'
import { type Crew, startCrew } from './crew.ts'
import { type Answer, type Command, createShopClient, pause, type ShopClient } from './shop-client.ts'
import { type LogLine, type ProcessPlan, type ShopProcess, startProcess, takePorts } from './shop-process.ts'

/** Everything that waits in a shop waits shortly here. */
const settings = [
  'orders.payTimeoutMs=6s',
  'orders.holdMarginMs=1s',
  'orders.remindAfterMs=3s',
  'orders.sweepMs=100ms',
  'catalog.sweepMs=100ms',
  'payments.callTimeoutMs=1s',
  'payments.retryMinMs=20ms',
  'payments.retryMaxMs=300ms',
  'payments.sweepMs=100ms',
  'payments.simulatorSlowMs=250ms',
  'payments.simulatorRepeatShare=0.5',
  'identity.verification=optional',
  'identity.accessLifetimeMs=6h',
  'identity.accountFailuresFree=100',
]

export interface ShopUnderTestOptions {
  /** Services of each process; the first is the one that customers talk to. One empty list: all in one. */
  readonly processes: readonly (readonly string[])[]
  readonly seed: number
  /** @default a new folder */
  readonly dir?: string
  readonly settings?: readonly string[]
  /** Lines of the log that are no fault although they tell of an error. @default none */
  readonly excused?: (line: LogLine) => boolean
  /** Hears of every answer, those that are asked for again included. */
  readonly onAnswer?: (answer: Answer) => void
}

/** Units put in of each product; the last is scarce. */
const stockOf = [1_000_000, 1_000_000, 1_000_000, 30]

const settleTimeoutMs = 60_000

export class ShopUnderTest implements AsyncDisposable {
  readonly dir: string
  readonly random: Random
  readonly seed: number
  readonly call: ShopClient
  /** How long each start took until the shop served again, in milliseconds. */
  readonly startsMs: number[] = []
  /** Answers and log lines that a crash does not excuse. */
  readonly strange: string[] = []
  readonly #plans: readonly ProcessPlan[]
  readonly #running: (ShopProcess | undefined)[]
  readonly #stocked = new Map<string, number>()
  readonly #excused: (line: LogLine) => boolean
  readonly #closing = new AbortController()
  #operatorToken = ''
  #customerTokens: readonly string[] = []

  constructor(dir: string, plans: readonly ProcessPlan[], random: Random, options: ShopUnderTestOptions) {
    this.dir = dir
    this.#plans = plans
    this.#running = plans.map(() => undefined)
    this.random = random
    this.seed = options.seed
    this.#excused = options.excused ?? (() => false)
    this.call = createShopClient({
      url: `http://127.0.0.1:${plans[0]!.httpPort}`,
      patienceMs: 60_000,
      signal: this.#closing.signal,
      onAnswer: options.onAnswer,
      onStrange: ({ method, path }, { status, body }) => {
        this.strange.push(`${method} ${path} was answered ${status} ${JSON.stringify(body)}`)
      },
    })
  }

  static async create(options: ShopUnderTestOptions): Promise<ShopUnderTest> {
    const random = createSeededRandom(options.seed)
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'plinth-crash-')))
    const ports = await takePorts(options.processes.length * 2, random)
    const places = options.processes.map((services, at) => {
      return { services, httpPort: ports[at * 2]!, grpcPort: ports[at * 2 + 1]! }
    })
    const plans = places.map((place) => ({
      ...place,
      dir,
      peers: places
        .filter((other) => other !== place)
        .flatMap((other) => other.services.map((service) => `${service}=127.0.0.1:${other.grpcPort}`)),
      settings: [...settings, ...(options.settings ?? [])],
    }))
    return new ShopUnderTest(dir, plans, random, options)
  }

  get processes(): number {
    return this.#plans.length
  }

  process(at = 0): ShopProcess {
    return this.#running[at]!
  }

  /** Starts a process without waiting for it. */
  start(at = 0): ShopProcess {
    const process = startProcess(this.#plans[at]!)
    this.#running[at] = process
    return process
  }

  /** Starts a process and waits until it serves. */
  async open(at = 0): Promise<void> {
    const startedMs = systemClock.monotonicMs()
    await this.start(at).opened
    this.startsMs.push(systemClock.monotonicMs() - startedMs)
  }

  async openAll(): Promise<void> {
    await Promise.all(this.#plans.map((_, at) => this.open(at)))
  }

  async kill(at = 0): Promise<void> {
    const process = this.process(at)
    await process.kill()
    this.#keepStrange(process.log)
  }

  async killAll(): Promise<void> {
    await Promise.all(this.#plans.map((_, at) => this.kill(at)))
  }

  /** Products with stock, customers who are logged in, and the operator. */
  async furnish(): Promise<void> {
    const operator = JSON.parse(await readFile(join(this.dir, 'operator.json'), 'utf8')) as object
    this.#operatorToken = await this.#login(operator)
    const lines = stockOf.map((stock, at) =>
      JSON.stringify({
        sku: `S${at}`,
        title: `Film ${at}`,
        category: 'drama',
        price_minor: 100 + at,
        currency: 'USD',
        stock,
      }),
    )
    await this.#expect({
      method: 'POST',
      path: '/v1/products:import',
      token: this.#operatorToken,
      body: lines.join('\n'),
      contentType: 'application/x-ndjson',
    })
    const listed = await this.#expect({ method: 'GET', path: '/v1/products' })
    for (const product of listed['products'] as { productId: string; sku: string }[]) {
      this.#stocked.set(product.productId, stockOf[Number(product.sku.slice(1))]!)
    }
    const customers = Array.from({ length: 3 }, (_, at) => ({
      email: `customer${at}@example.com`,
      password: 'correct horse 7 battery',
    }))
    for (const customer of customers) {
      await this.#expect({ method: 'POST', path: '/v1/auth/register', body: { ...customer, displayName: 'C' } })
    }
    this.#customerTokens = await Promise.all(customers.map((customer) => this.#login(customer)))
  }

  /** Sends the customers in. */
  busy(hands = 8): Crew {
    return startCrew(this, {
      customerTokens: this.#customerTokens,
      operatorToken: this.#operatorToken,
      productIds: [...this.#stocked.keys()],
      hands,
    })
  }

  get operatorToken(): string {
    return this.#operatorToken
  }

  /** Waits until nothing moves, then looks for everything that does not add up. Answers it as one text, or nothing. */
  async findFaults(...crews: readonly Crew[]): Promise<string> {
    const { found, books } = await this.#auditAtRest(crews)
    for (const [at, process] of this.#running.entries()) {
      if (process) this.#keepStrange(this.process(at).log)
    }
    found.push(
      ...this.strange.map((what) => ({ what })),
      ...crews.flatMap((crew) => crew.contradictions.map((what) => ({ what }))),
    )
    if (found.length === 0) return ''
    const stories = new Set(found.flatMap(({ orderId }) => orderId ?? []))
    return [
      `${found.length} faults with seed ${this.seed}`,
      ...found.slice(0, 30).map(({ what, orderId = '' }) => `- ${orderId} ${what}`),
      ...[...stories].slice(0, 3).flatMap((orderId) => [storyOf(orderId, books), ...this.#linesAbout(orderId)]),
    ].join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#running.map((process) => process?.kill()))
    await rm(this.dir, { recursive: true, force: true })
  }

  /**
   * Audits once nothing moves. An unpaid order may expire while its books are read, so what does not add up is looked
   * at again: a real fault stays.
   */
  async #auditAtRest(crews: readonly Crew[]): Promise<{ readonly found: Discrepancy[]; readonly books: Books }> {
    for (let look = 1; ; look++) {
      const moving = await this.#settle()
      const books = readBooks(this.dir)
      const promises = crews.flatMap((crew) => [...auditPromises(crew, books)])
      const found = [...moving, ...audit(books, this.#stocked), ...promises]
      if (found.length === 0 || moving.length > 0 || look === 3) return { found, books }
      await pause(1000)
    }
  }

  /** What the living processes logged of an order. */
  #linesAbout(orderId: string): readonly string[] {
    const lines = this.#running.flatMap((process) => process?.log ?? []).map((line) => JSON.stringify(line))
    return lines.filter((line) => line.includes(orderId)).map((line) => `  log ${line.slice(0, 500)}`)
  }

  async #settle(): Promise<readonly Discrepancy[]> {
    const startedMs = systemClock.monotonicMs()
    for (;;) {
      const moving = [...stillMoving(readBooks(this.dir), systemClock.nowMs()), ...(await this.#busMoving())]
      if (moving.length === 0 || systemClock.monotonicMs() - startedMs > settleTimeoutMs) return moving
      await pause(200)
    }
  }

  async #busMoving(): Promise<readonly Discrepancy[]> {
    const path = '/v1/events/groups?pageSize=100'
    const { groups } = await this.#expect({ method: 'GET', path, token: this.#operatorToken })
    return (groups as { group: string; topic: string; lag?: string; deadLetters?: number }[]).flatMap((one) => {
      const { group, topic, lag = '0', deadLetters = 0 } = one
      return [
        ...(lag === '0' ? [] : [{ what: `group ${group} lags ${lag} behind ${topic}` }]),
        ...(deadLetters === 0 ? [] : [{ what: `group ${group} has ${deadLetters} dead letters of ${topic}` }]),
      ]
    })
  }

  #keepStrange(log: readonly LogLine[]): void {
    for (const line of log) {
      if (line.level !== 'error' && line.level !== 'fatal') continue
      if (this.#excused(line)) continue
      // Of several processes those that live complain about the one that died.
      const isAbsence = line['kind'] === 'unavailable' || line['kind'] === 'timeout'
      if (this.processes > 1 && (isAbsence || /^rpc\.peer_un/.test(line.code ?? ''))) continue
      const text = `the log says ${JSON.stringify(line).slice(0, 1500)}`
      if (this.strange.length < 100 && !this.strange.includes(text)) this.strange.push(text)
    }
  }

  async #login(credentials: object): Promise<string> {
    const { accessToken } = await this.#expect({ method: 'POST', path: '/v1/auth/login', body: credentials })
    return String(accessToken)
  }

  async #expect(command: Command): Promise<Readonly<Record<string, unknown>>> {
    const { status, body } = await this.call(command)
    if (status === 200) return body
    throw new Error(`${command.method} ${command.path} was answered ${status} ${JSON.stringify(body)}`)
  }
}

/** Whether everything that was acknowledged is in the books. */
function* auditPromises(crew: Crew, books: Books): Iterable<Discrepancy> {
  for (const { orderId, acknowledged } of crew.orders.values()) {
    const order = books.orders.get(orderId)
    if (!order) {
      yield { orderId, what: 'was acknowledged and is lost' }
      continue
    }
    const types = new Set(books.events.get(orderId)?.map((event) => event.type))
    for (const verb of acknowledged) {
      const isKept =
        verb === 'cancel'
          ? order.status === 'cancelled' || order.status === 'refunded'
          : types.has(eventOf[verb as keyof typeof eventOf])
      if (!isKept) yield { orderId, what: `${verb} was acknowledged and is lost` }
    }
  }
}

/** What an acknowledged command leaves in the timeline. */
const eventOf = {
  place: 'order_placed',
  pay: 'order_payment_requested',
  ship: 'order_shipped',
  deliver: 'order_delivered',
  refund: 'order_refunded',
} as const
