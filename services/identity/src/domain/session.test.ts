import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  decideRefresh,
  displacedBy,
  endSession,
  type RefreshToken,
  type Session,
  type SessionPolicy,
} from './session.ts'

const policy: SessionPolicy = { idleMs: 1000, lifetimeMs: 10_000, graceMs: 30 }
const session: Session = {
  sessionId: 's1',
  userId: 'u1',
  deviceName: '',
  userAgent: '',
  address: '',
  createdAtMs: 0,
  lastUsedAtMs: 0,
  idleUntilMs: 1000,
  endsAtMs: 10_000,
  rotations: 0,
  repeats: 0,
  revokedAtMs: undefined,
  revokedFor: undefined,
}
const successor = Uint8Array.of(1)
const active: RefreshToken = { hash: 'h', sessionId: 's1', issuedAtMs: 0, rotatedAtMs: undefined, successor: undefined }
const rotated: RefreshToken = { ...active, rotatedAtMs: 500, successor }

type Row = readonly [string, Partial<Session>, RefreshToken, number, string]

describe('decideRefresh()', () => {
  const table: readonly Row[] = [
    ['an active token is exchanged', {}, active, 999, 'rotate'],
    ['an idle session is over', {}, active, 1000, 'session_over'],
    [
      'a session past its end is over, however much it is used',
      { idleUntilMs: 20_000 },
      active,
      10_000,
      'session_over',
    ],
    ['a revoked session is over', { revokedAtMs: 5 }, active, 10, 'session_over'],
    ['an exchanged token is answered again at once', {}, rotated, 500, 'repeat'],
    ['and at the last moment of the window', {}, rotated, 530, 'repeat'],
    ['and counts as stolen a moment later', {}, rotated, 531, 'refresh_reused'],
    ['a spent token of a revoked session reveals nothing', { revokedAtMs: 5 }, rotated, 900, 'session_over'],
  ]
  for (const [name, change, token, nowMs, expected] of table) {
    it(name, () => {
      const decision = decideRefresh({ token, session: { ...session, ...change } }, { nowMs, policy })
      assert.equal('refused' in decision ? decision.refused : decision.next, expected)
    })
  }

  it('an exchange prolongs the session, a repeat only counts', () => {
    const first = decideRefresh({ token: active, session }, { nowMs: 600, policy })
    assert.ok('next' in first)
    assert.deepEqual(first.session, { ...session, lastUsedAtMs: 600, idleUntilMs: 1600, rotations: 1 })
    const again = decideRefresh({ token: rotated, session }, { nowMs: 510, policy })
    assert.deepEqual(again, { next: 'repeat', session: { ...session, repeats: 1 }, successor })
  })
})

describe('endSession()', () => {
  it('ends a session once: the first reason stays', () => {
    const ended = endSession(session, { nowMs: 7, reason: 'logout' })
    assert.deepEqual([ended.revokedAtMs, ended.revokedFor], [7, 'logout'])
    assert.equal(endSession(ended, { nowMs: 9, reason: 'revoked' }), ended)
  })
})

describe('displacedBy()', () => {
  it('names the sessions used longest ago, just as many as needed', () => {
    const sessions = [3, 1, 2].map((at) => ({ ...session, sessionId: `s${at}`, lastUsedAtMs: at }))
    const ids = (max: number) => displacedBy(sessions, max).map((displaced) => displaced.sessionId)
    assert.deepEqual([ids(4), ids(3), ids(2)], [[], ['s1'], ['s1', 's2']])
  })
})
