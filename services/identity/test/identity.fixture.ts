import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, createIds, createSystemRandom, systemClock } from '@plinth/base'
import { migrate, type SqlStore } from '@plinth/data'
import {
  assemble,
  BusKey,
  bindingOf,
  Clocks,
  configOf,
  IdsKey,
  Log,
  Metrics,
  provide,
  Randoms,
  type StoreOpener,
  Stores,
  Tracer,
} from '@plinth/kernel'
import { createTestSection } from '@plinth/kernel/testing'
import { type Message, openMemoryBus } from '@plinth/messaging'
import {
  createClient,
  createDispatcher,
  createInProcessTransport,
  type Dispatcher,
  type Principal,
  standardInterceptors,
} from '@plinth/rpc'
import type { PasswordParameters, ServiceClaims, TokenVerifier } from '@plinth/security'
import { createLogger, createMetrics, createTracer } from '@plinth/telemetry'
import { createMemorySink } from '@plinth/telemetry/testing'
import { AuthService, authContract, UsersService, usersContract } from '../contract/index.ts'
import {
  AuthenticatorKey,
  createIdentityModule,
  IdentityAdminKey,
  type IdentityConfig,
  identityConfig,
} from '../src/compose.ts'
import { type Engine, type Place, sqlite } from './place.fixture.ts'

/** Cheap enough for tests; the real cost is measured elsewhere. */
export const cheapPasswords = { memoryKib: 8192, passes: 1, parallelism: 1 } as const

export interface IdentityFixtureOptions {
  readonly config?: Partial<IdentityConfig>
  /** Data that was there before and stays afterwards. @default a new SQLite file */
  readonly place?: Place
  readonly engine?: Engine
  readonly passwordParameters?: PasswordParameters
  readonly services?: TokenVerifier<ServiceClaims>
  /** Stands between the service and its store: for faults. */
  readonly wrapStore?: <S>(store: SqlStore<S>) => SqlStore<S>
}

export type IdentityFixture = Awaited<ReturnType<typeof startIdentity>>

/** The whole service on a real store, called as its callers call it, with a clock whose date can be moved. */
export async function startIdentity(options: IdentityFixtureOptions = {}) {
  await using undo = new AsyncDisposableStack()
  // Timers of the clock do not keep a process alive, and unlike a server a test listens nowhere.
  const alive = setInterval(() => {}, 1000)
  undo.defer(() => clearInterval(alive))
  const place = options.place ?? undo.use(await (options.engine ?? sqlite)())
  const { folder } = place
  let aheadMs = 0
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs }
  const random = createSystemRandom()
  const sink = createMemorySink()
  const log = createLogger({ sink, level: 'trace' })
  const metrics = createMetrics()
  const bus = undo.use(await openMemoryBus({}, { clock }))
  const events: Message[] = []
  undo.use(
    await bus.subscribe({
      topics: ['identity.user'],
      group: 'test',
      handler: async (message) => void events.push(message),
    }),
  )
  const running = undo.use(
    await assemble([
      provide(Clocks, clock),
      provide(Randoms, random),
      provide(IdsKey, createIds({ clock, random })),
      provide(Log, log),
      provide(Metrics, metrics),
      provide(Tracer, createTracer({ clock, random })),
      provide(BusKey, bus),
      provide(Stores, createOpener(place, options)),
      provide(configOf(identityConfig), createTestSection(identityConfig, options.config)),
      createIdentityModule({
        dataFolder: folder,
        passwordParameters: options.passwordParameters ?? cheapPasswords,
        ...(options.services && { services: options.services }),
      }),
    ]).start(),
  )
  const authenticator = running.get(AuthenticatorKey)
  const dispatcher: Dispatcher = createDispatcher(
    [running.get(bindingOf(authContract)), running.get(bindingOf(usersContract))],
    standardInterceptors({ authenticator, clock }),
  )
  const clients = (principal?: Principal) => {
    const transport = createInProcessTransport(dispatcher, { clock, ...(principal && { principal }) })
    return { auth: createClient(AuthService, transport), users: createClient(UsersService, transport) }
  }
  const resources = undo.move()
  return {
    place,
    bus,
    events,
    sink,
    metrics,
    dispatcher,
    authenticator,
    admin: running.get(IdentityAdminKey),
    clients,
    ...clients(),
    /** As whoever holds this access token. */
    as: (accessToken: string) => ({ headers: { authorization: `Bearer ${accessToken}` } }),
    moveMs(byMs: number) {
      aheadMs += byMs
    },
    mails: () => readMails(join(folder, 'mail')),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function createOpener(place: Place, { wrapStore }: IdentityFixtureOptions): StoreOpener {
  return {
    async open<S>({ migrations }: Parameters<StoreOpener['open']>[0]) {
      await using undo = new AsyncDisposableStack()
      const store = undo.use(await place.open<S>())
      await migrate(store, migrations)
      undo.move()
      return wrapStore ? wrapStore(store) : store
    },
  }
}

async function readMails(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  const mails = names.filter((name) => name.endsWith('.eml')).sort()
  return Promise.all(mails.map((name) => readFile(join(folder, name), 'utf8')))
}

/** Repeats `look` until it answers something, for at most five seconds. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const endMs = systemClock.monotonicMs() + 5000; ; ) {
    const found = await look()
    if (found !== undefined) return found
    if (systemClock.monotonicMs() > endMs) throw new Error('It never happened')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Registers a user, reads the mail and confirms the address. */
export async function verifiedUser(identity: IdentityFixture, email: string, password = goodPassword) {
  await identity.auth.register({ email, password, displayName: 'Ada' })
  await identity.auth.verifyEmail({ token: await mailedToken(identity, email) })
  return { email, password }
}

export const goodPassword = 'correct horse battery'

/** The newest token mailed to an address. */
export async function mailedToken(identity: IdentityFixture, email: string): Promise<string> {
  return eventually(async () => {
    const mails = (await identity.mails()).filter((mail) => mail.includes(`To: <${email}>`))
    return /\bev_[A-Za-z0-9_-]{43}/.exec(mails.at(-1) ?? '')?.[0]
  })
}
