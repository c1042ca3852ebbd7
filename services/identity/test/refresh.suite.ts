import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import type { SqlStore } from '@plinth/data'
import type { Tokens } from '../contract/index.ts'
import {
  eventually,
  goodPassword,
  type IdentityFixtureOptions,
  startIdentity,
  verifiedUser,
} from './identity.fixture.ts'
import type { Engine } from './place.fixture.ts'

const graceMs = 30_000
const refused = (code: string) => (error: unknown) => {
  assert.ok(PlatformError.is(error), String(error))
  assert.deepEqual([error.kind, error.code], ['unauthenticated', `identity.${code}`])
  return true
}

/** Everything of an answer, byte for byte. */
const bytesOf = (tokens: Tokens) =>
  JSON.stringify(tokens, (_, value) => (typeof value === 'bigint' ? String(value) : value))

/** Runs on every engine; `sessions` of them are refreshed at once. */
export function describeRefresh(engine: Engine, { sessions }: { readonly sessions: number }): void {
  const start = (options: IdentityFixtureOptions = {}) => startIdentity({ engine, ...options })

  describe('refresh()', () => {
    it('gives all who present one token at once the same answer, generation after generation', {
      timeout: 60_000,
    }, async () => {
      await using identity = await start({ config: { verification: 'optional', sessionsMax: 1000 } })
      const parallel = 8
      const generations = 3
      const email = 'ada@example.com'
      await identity.auth.register({ email, password: goodPassword })
      let current: readonly Tokens[] = await inBatches(sessions, () =>
        identity.auth.login({ email, password: goodPassword }),
      )
      const seen = new Set(current.map(({ refreshToken }) => refreshToken))
      for (let generation = 1; generation <= generations; generation++) {
        const races = await Promise.all(
          current.map(({ refreshToken }) =>
            Promise.all(Array.from({ length: parallel }, () => identity.auth.refresh({ refreshToken }))),
          ),
        )
        current = races.map((answers) => {
          const [first] = answers
          assert.ok(first)
          for (const answer of answers) assert.equal(bytesOf(answer), bytesOf(first))
          seen.add(first.refreshToken)
          return first
        })
      }
      assert.equal(seen.size, sessions * (generations + 1), 'exactly one successor per token and generation')
      const me = identity.as(current[0]?.accessToken ?? '')
      const listed = (await identity.auth.listSessions({}, me)).sessions
      assert.equal(listed.length, sessions, 'no session was revoked')
      for (const { rotations, repeats } of listed) {
        assert.equal(rotations, BigInt(generations))
        assert.equal(repeats, BigInt(generations * (parallel - 1)))
      }
    })

    it('answers a lost answer again, byte for byte, until the window closes', async () => {
      await using identity = await start()
      const { refreshToken } = await identity.auth.login(await verifiedUser(identity, 'ada@example.com'))
      const lost = await identity.auth.refresh({ refreshToken })
      identity.moveMs(graceMs - 2000)
      assert.equal(bytesOf(await identity.auth.refresh({ refreshToken })), bytesOf(lost))
      const next = await identity.auth.refresh({ refreshToken: lost.refreshToken })
      assert.notEqual(next.refreshToken, lost.refreshToken)
      assert.equal(
        bytesOf(await identity.auth.refresh({ refreshToken })),
        bytesOf(lost),
        'the successor has moved on; the answer has not',
      )
      await identity.auth.refresh({ refreshToken: next.refreshToken })
    })

    it('ends the session when a token comes back after the window: for the thief and the robbed', async () => {
      await using identity = await start()
      const stolen = await identity.auth.login(await verifiedUser(identity, 'ada@example.com'))
      const { refreshToken } = stolen
      const robbed = await identity.auth.refresh({ refreshToken })
      identity.moveMs(graceMs + 1000)
      await assert.rejects(identity.auth.refresh({ refreshToken }), refused('refresh_reused'))
      await assert.rejects(identity.auth.refresh({ refreshToken: robbed.refreshToken }), refused('session_over'))
      for (const { accessToken } of [stolen, robbed]) {
        await assert.rejects(identity.users.getMe({}, identity.as(accessToken)), { code: 'security.token_revoked' })
      }
      const seen = identity.sink.records.find(({ event }) => event === 'refresh_token_reused')
      assert.equal(seen?.session_id, robbed.sessionId)
      assert.match(
        identity.metrics.expose().body,
        /identity_outcomes_total\{what="refresh",outcome="refresh_reused"\} 1/,
      )
      await eventually(() => identity.events.find(({ type }) => type === 'session_revoked'))
    })

    it('ends one session only: others of the same user go on', async () => {
      await using identity = await start()
      const credentials = await verifiedUser(identity, 'ada@example.com')
      const stolen = await identity.auth.login(credentials)
      const other = await identity.auth.login(credentials)
      await identity.auth.refresh({ refreshToken: stolen.refreshToken })
      identity.moveMs(graceMs + 1000)
      await assert.rejects(identity.auth.refresh({ refreshToken: stolen.refreshToken }), refused('refresh_reused'))
      await identity.auth.refresh({ refreshToken: other.refreshToken })
    })

    it('gives the same successor when the process dies between commit and answer', async () => {
      const faults = { isArmed: false }
      await using identity = await start({ wrapStore: (store) => loseAnswers(store, faults) })
      const { refreshToken } = await identity.auth.login(await verifiedUser(identity, 'ada@example.com'))
      faults.isArmed = true
      await assert.rejects(identity.auth.refresh({ refreshToken }))
      await assert.rejects(identity.auth.refresh({ refreshToken }))
      faults.isArmed = false
      const answers = [await identity.auth.refresh({ refreshToken }), await identity.auth.refresh({ refreshToken })]
      assert.equal(new Set(answers.map(bytesOf)).size, 1)
      const [answer] = answers
      const { sessions } = await identity.auth.listSessions({}, identity.as(answer?.accessToken ?? ''))
      assert.deepEqual(
        [sessions[0]?.rotations, sessions[0]?.repeats],
        [1n, 3n],
        'rotated once, by the call whose answer was lost',
      )
    })

    it('refuses tokens that nobody was given', async () => {
      await using identity = await start()
      const { accessToken } = await identity.auth.login(await verifiedUser(identity, 'ada@example.com'))
      for (const refreshToken of ['rt_x', accessToken.slice(0, 128), "' or 1=1 --", 'rt_'.padEnd(46, 'A')]) {
        await assert.rejects(identity.auth.refresh({ refreshToken }), refused('refresh_unknown'))
      }
    })

    it('of a deleted user opens nothing', async () => {
      await using identity = await start()
      const { refreshToken, userId } = await identity.auth.login(await verifiedUser(identity, 'ada@example.com'))
      await identity.clients({ id: 'op', roles: ['operator'] }).users.deleteUser({ userId })
      await assert.rejects(identity.auth.refresh({ refreshToken }), refused('refresh_unknown'))
    })
  })
}

/** A store that commits and then, when armed, loses the answer, as a crash right after the commit does. */
function loseAnswers<S>(store: SqlStore<S>, faults: { readonly isArmed: boolean }): SqlStore<S> {
  return {
    dialect: store.dialect,
    read: (work, options) => store.read(work, options),
    async write(work, options) {
      const result = await store.write(work, options)
      if (faults.isArmed) throw new Error('the process died after the commit')
      return result
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** Calls so many times, a few at once, as one account allows. */
async function inBatches<T>(times: number, call: () => Promise<T>): Promise<readonly T[]> {
  const results: T[] = []
  while (results.length < times) results.push(...(await Promise.all(Array.from({ length: 8 }, call))))
  return results.slice(0, times)
}
