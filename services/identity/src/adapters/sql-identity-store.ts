import type { Clock, Ids } from '@plinth/base'
import { invariant } from '@plinth/base'
import { idempotent, type SqlReader, type SqlStore, type SqlWriter, sweepIdempotency } from '@plinth/data'
import type { Outbox } from '@plinth/messaging'
import type { IdentityEvent } from '../domain/events.ts'
import type { IdentityReader, IdentityStore, IdentityWriter, UserQuery } from '../usecases/ports.ts'
import { encodeIdentityEvent } from '../wire/identity-event.ts'
import {
  refreshTokenFromRow,
  sessionFromRow,
  sessionToRow,
  throttleFromRow,
  userFromRow,
  userToRow,
  verificationFromRow,
} from './identity-rows.ts'
import type { IdentitySchema } from './identity-schema.ts'
import * as statements from './identity-statements.ts'

export interface SqlIdentityStoreDeps {
  readonly store: SqlStore<IdentitySchema>
  readonly outbox: Outbox
  readonly clock: Clock
  readonly ids: Ids
  /** Hears of events whose unit has committed, in this process. It must not throw. */
  readonly onCommitted: (events: readonly IdentityEvent[]) => void
}

type Tx = SqlReader<IdentitySchema>

/** Keeps accounts and sessions in SQLite or PostgreSQL, with their events in the outbox of the same database. */
export function createSqlIdentityStore(deps: SqlIdentityStoreDeps): IdentityStore {
  const { store } = deps
  return {
    read: (work) => store.read((tx) => work(createReader(tx))),
    write: (work) => store.write((tx) => work(createWriter(deps, tx))),
    async sweep(times, rowsMax) {
      const bite = (beforeMs: number) => ({ beforeMs, rowsMax })
      // One short unit each, so that nobody waits long behind the broom.
      const swept = [
        await store.write((tx) => sweepSessions(tx, bite(times.sessionsEndedBeforeMs))),
        await store.write((tx) => tx.run(statements.dropSpentTokens, bite(times.tokensRotatedBeforeMs))),
        await store.write((tx) => tx.run(statements.dropOldVerifications, bite(times.nowMs))),
        await store.write((tx) => tx.run(statements.dropOldThrottles, bite(times.throttlesBeforeMs))),
        { changes: await store.write((tx) => sweepIdempotency(tx, bite(times.answersBeforeMs))) },
      ]
      return swept.reduce((sum, { changes }) => sum + changes, 0)
    },
  }
}

function createReader(tx: Tx): IdentityReader {
  return {
    userById: async (userId) => map(await tx.get(statements.userById, { userId }), userFromRow),
    userByEmail: async (email) => map(await tx.get(statements.userByEmail, { email }), userFromRow),
    listUsers: async (query) => (await selectUsers(tx, query)).map(userFromRow),
    countOperators: async () => (await tx.get(statements.operatorCount, {}))?.found ?? 0,
    sessionById: async (sessionId) => map(await tx.get(statements.sessionById, { sessionId }), sessionFromRow),
    liveSessions: async (userId, nowMs) =>
      (await tx.all(statements.liveSessions, { userId, nowMs })).map(sessionFromRow),
    revokedSince: async (sinceMs, limit) =>
      (await tx.all(statements.revokedSince, { sinceMs, limit })).map((row) => ({
        sessionId: row.session_id,
        atMs: row.revoked_at_ms,
      })),
    refreshToken: async (hash) => map(await tx.get(statements.refreshToken, { hash }), refreshTokenFromRow),
    verification: async (hash) => map(await tx.get(statements.verification, { hash }), verificationFromRow),
    throttle: async (key) => map(await tx.get(statements.throttle, { key }), throttleFromRow),
  }
}

function createWriter(deps: SqlIdentityStoreDeps, tx: SqlWriter<IdentitySchema>): IdentityWriter {
  const { outbox, clock, ids, onCommitted } = deps
  return {
    ...createReader(tx),
    insertUser: async (user) => void (await tx.run(statements.insertUser, userToRow(user))),
    saveUser: async (user) => void (await tx.run(statements.saveUser, userToRow(user))),
    async deleteUser(userId) {
      for (const statement of statements.deleteUser) await tx.run(statement, { userId })
      await tx.run(statements.anonymizeSessions, { userId })
    },
    insertSession: async (session) => void (await tx.run(statements.insertSession, sessionToRow(session))),
    saveSession: async (session) => void (await tx.run(statements.saveSession, sessionToRow(session))),
    insertRefreshToken: async (token) => void (await tx.run(statements.insertRefreshToken, token)),
    async rotateRefreshToken(hash, { atMs, successor }) {
      const { changes } = await tx.run(statements.rotateRefreshToken, { hash, atMs, successor })
      invariant(changes === 1, 'a refresh token read as active in a serialisable unit is still active')
    },
    insertVerification: async ({ hash, userId, expiresAtMs }) =>
      void (await tx.run(statements.insertVerification, { hash, userId, expiresAtMs })),
    markVerified: async (hash, atMs) => void (await tx.run(statements.markVerified, { hash, atMs })),
    dropVerifications: async (userId) => void (await tx.run(statements.dropVerifications, { userId })),
    async saveThrottle(key, state) {
      if (state) await tx.run(statements.saveThrottle, { key, ...state })
      else await tx.run(statements.dropThrottle, { key })
    },
    async announce(events) {
      if (events.length === 0) return
      await outbox.add(
        tx,
        events.map((event) => encodeIdentityEvent(event, ids.next())),
      )
      tx.afterCommit(() => onCommitted(events))
    },
    once: async (command, work) => (await idempotent(tx, { ...command, nowMs: clock.nowMs() }, work)).answer,
  }
}

async function selectUsers(tx: Tx, { role, emailPrefix, afterId, limit }: UserQuery) {
  let query = tx.query.selectFrom('account').selectAll().where('user_id', '>', afterId)
  if (role === 'customer') query = query.where('roles', 'in', ['customer', 'customer,operator'])
  if (role === 'operator') query = query.where('roles', 'in', ['operator', 'customer,operator'])
  if (emailPrefix !== '') {
    // Rather than "like": there is no wildcard to escape, and no collation has a say.
    const chars = [...emailPrefix].length
    query = query.where((eb) => eb(eb.fn<string>('substr', ['email', eb.val(1), eb.val(chars)]), '=', emailPrefix))
  }
  return query.orderBy('user_id').limit(limit).execute()
}

async function sweepSessions(
  tx: SqlWriter<IdentitySchema>,
  bite: { readonly beforeMs: number; readonly rowsMax: number },
): Promise<{ readonly changes: number }> {
  const over = await tx.all(statements.overSessions, bite)
  for (const { session_id: sessionId } of over) {
    await tx.run(statements.dropTokensOfSession, { sessionId })
    await tx.run(statements.dropSession, { sessionId })
  }
  return { changes: over.length }
}

function map<Row, T>(row: Row | undefined, convert: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : convert(row)
}
