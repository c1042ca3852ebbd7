/**
 * The identity service, put together.
 * @module
 */
import { join } from 'node:path'
import { PlatformError, sleep } from '@plinth/base'
import {
  BusKey,
  bindingOf,
  Clocks,
  configOf,
  defineModule,
  IdsKey,
  key,
  Log,
  Metrics,
  Randoms,
  Stores,
  Tracer,
  traceHeaders,
  type ValuesOf,
} from '@plinth/kernel'
import { createOutbox, startOutboxRelay } from '@plinth/messaging'
import { bindService } from '@plinth/rpc'
import {
  createAccessTokenSigner,
  createAccessTokenVerifier,
  createBearerAuthenticator,
  createFileKeyStore,
  createPasswordHasher,
  createRevocationList,
  type KeyRing,
  openKeyRing,
  type PasswordParameters,
  type RevocationList,
  type ServiceClaims,
  type TokenVerifier,
} from '@plinth/security'
import { AuthService, authContract, UsersService, usersContract } from '../contract/index.ts'
import { createEmlMailer } from './adapters/eml-mailer.ts'
import { type IdentitySchema, identityMigrations } from './adapters/identity-schema.ts'
import { createMailQueue } from './adapters/mail-queue.ts'
import { createObserver } from './adapters/observer.ts'
import { createOperatorFile } from './adapters/operator-file.ts'
import { createOpaqueTokens } from './adapters/security-tokens.ts'
import { createSqlIdentityStore } from './adapters/sql-identity-store.ts'
import { AuthenticatorKey } from './authenticator.ts'
import { type IdentityConfig, identityConfig, settingsOf } from './config.ts'
import type { IdentityEvent } from './domain/events.ts'
import { createAuthRpc } from './entrypoints/auth-rpc.ts'
import { createUsersRpc } from './entrypoints/users-rpc.ts'
import { createIdentity } from './usecases/identity.ts'
import type { Mailer } from './usecases/ports.ts'

export { AuthenticatorKey, type AuthenticatorModuleOptions, createAuthenticatorModule } from './authenticator.ts'
export { type IdentityConfig, identityConfig } from './config.ts'
export type { Mail, Mailer } from './usecases/ports.ts'

/** What the application itself does with identity, past any caller's rights. */
export interface IdentityAdmin {
  /**
   * Makes the first operator if there is none. Its password is made up and stands in `file` (0600) alone; it is
   * neither answered nor logged.
   */
  ensureOperator(): Promise<{ readonly created: boolean; readonly file: string }>
  /** Makes a new signing key; with `discardOld` every access token out there is refused from now on. */
  rotateKeys(options?: { readonly discardOld?: boolean }): Promise<void>
}

/** Identity as the application sees it. */
export const IdentityAdminKey = key<IdentityAdmin>()('identity.admin')

export interface IdentityModuleOptions {
  /** Where keys (`keys/`), mails (`mail/`) and the first operator's credentials (`operator.json`) are kept. */
  readonly dataFolder: string
  /** Verifies the tokens of other services. Without it only users are let in. */
  readonly services?: TokenVerifier<ServiceClaims>
  /** @default files in `mail/` */
  readonly mailer?: Mailer
  /** What password hashes cost; less than the default is for tests. @default m=19 MiB, t=2, p=1 */
  readonly passwordParameters?: PasswordParameters
}

const needs = {
  clock: Clocks,
  random: Randoms,
  ids: IdsKey,
  log: Log,
  metrics: Metrics,
  tracer: Tracer,
  stores: Stores,
  bus: BusKey,
  config: configOf(identityConfig),
} as const

type Deps = ValuesOf<typeof needs>

// How far a verifier's clock may be ahead or behind, with some air.
const skewMs = 60_000
const sweepEveryMs = 60_000

/** Identity as a module: accounts, sessions, tokens, and the authenticator of this process. */
export function createIdentityModule(options: IdentityModuleOptions) {
  return defineModule({
    name: 'identity',
    needs,
    provides: {
      auth: bindingOf(authContract),
      users: bindingOf(usersContract),
      authenticator: AuthenticatorKey,
      admin: IdentityAdminKey,
    },
    async start(deps, context) {
      const { clock, bus, config } = deps
      await using undo = new AsyncDisposableStack()
      const keys = undo.use(await openKeys(deps, options))
      const retentionMs = config.current.accessLifetimeMs + skewMs
      const revocations = createRevocationList({ clock }, { retentionMs })
      const store = undo.use(
        await deps.stores.open<IdentitySchema>({ name: 'identity', migrations: identityMigrations }),
      )
      const outbox = createOutbox({ headers: () => traceHeaders(deps.tracer) })
      const mail = undo.use(openMail(deps, options))
      const identity = createIdentity({
        ...createPorts(deps, { options, keys }),
        store: createSqlIdentityStore({ ...deps, store, outbox, onCommitted: (events) => follow(revocations, events) }),
        mail,
        observer: createObserver(deps),
        settings: cachedSettings(deps),
      })
      await catchUp(revocations, identity)
      undo.use(startOutboxRelay({ store, bus, outbox, clock }, { name: 'identity' }))
      context.run('sweep', async ({ signal }) => {
        for (;;) {
          await sleep(clock, sweepEveryMs, signal)
          await identity.sweep()
        }
      })
      // Other processes on the same database end sessions too.
      if (store.dialect === 'postgres') {
        context.run('revocations', async ({ signal }) => {
          for (;;) {
            await sleep(clock, revocationsEveryMs, signal)
            await catchUp(revocations, identity)
          }
        })
      }
      const { services } = options
      const access = createAccessTokenVerifier({ keys, clock, revocations })
      const file = join(options.dataFolder, 'operator.json')
      const admin: IdentityAdmin = {
        async ensureOperator() {
          const email = config.current.operatorEmail
          return { ...(await identity.ensureOperator({ email, keep: createOperatorFile(file) })), file }
        },
        rotateKeys: (how) => keys.rotate(how),
      }
      const resources = undo.move()
      return {
        provides: {
          auth: bindService(AuthService, createAuthRpc(identity, keys)),
          users: bindService(UsersService, createUsersRpc(identity)),
          authenticator: createBearerAuthenticator({ access, ...(services && { services }) }),
          admin,
        },
        stop: () => resources.disposeAsync(),
      }
    },
  })
}

const revocationsEveryMs = 1000

function openKeys({ clock, config }: Deps, { dataFolder }: IdentityModuleOptions): Promise<KeyRing> {
  const store = createFileKeyStore({ folder: join(dataFolder, 'keys') })
  const { keyRotationMs: rotateAfterMs, accessLifetimeMs } = config.current
  const publishAheadMs = Math.min(900_000, rotateAfterMs / 2)
  return openKeyRing({ store, clock }, { rotateAfterMs, publishAheadMs, overlapMs: accessLifetimeMs + skewMs })
}

function openMail({ clock, ids, log }: Deps, { dataFolder, mailer }: IdentityModuleOptions) {
  return createMailQueue({
    clock,
    mailer: mailer ?? createEmlMailer({ clock, ids }, { folder: join(dataFolder, 'mail') }),
    onDropped: (reason) => log.error('mail_dropped', { reason: PlatformError.is(reason) ? reason.code : reason }),
  })
}

function createPorts(
  { clock, ids, random, config }: Deps,
  { options, keys }: { readonly options: IdentityModuleOptions; readonly keys: KeyRing },
) {
  const { hashConcurrency: concurrency, hashQueueMax: queueMax, accessLifetimeMs: lifetimeMs } = config.current
  const { passwordParameters: parameters } = options
  return {
    clock,
    ids,
    passwords: createPasswordHasher({ random, clock }, { concurrency, queueMax, ...(parameters && { parameters }) }),
    tokens: createOpaqueTokens(random),
    access: createAccessTokenSigner({ keys }, { lifetimeMs }),
  }
}

/** The settings of the present configuration, made anew only when that changes. */
function cachedSettings({ config }: Deps) {
  let made: { readonly of: IdentityConfig; readonly settings: ReturnType<typeof settingsOf> } | undefined
  return () => {
    const { current } = config
    if (made?.of !== current) made = { of: current, settings: settingsOf(current) }
    return made.settings
  }
}

function follow(revocations: RevocationList, events: readonly IdentityEvent[]): void {
  for (const event of events) {
    if (event.type === 'session_revoked') revocations.revoke(event.sessionId, event.atMs)
  }
}

async function catchUp(
  revocations: RevocationList,
  identity: Pick<ReturnType<typeof createIdentity>, 'listRevocations'>,
): Promise<void> {
  for (const { sessionId, atMs } of (await identity.listRevocations()).toReversed()) revocations.revoke(sessionId, atMs)
}
