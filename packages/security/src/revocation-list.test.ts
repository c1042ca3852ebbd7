import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import { createRevocationList } from './revocation-list.ts'

describe('createRevocationList()', () => {
  it('refuses() a revoked session and no other', () => {
    const clock = createFakeClock()
    const list = createRevocationList({ clock })
    list.revoke('a', clock.nowMs())
    assert.equal(list.refuses('a', clock.nowMs() + 1000), true)
    assert.equal(list.refuses('b', clock.nowMs()), false)
  })

  it('forgets a session when its tokens have expired', async () => {
    const clock = createFakeClock()
    const list = createRevocationList({ clock }, { retentionMs: 1000 })
    list.revoke('a', clock.nowMs())
    await clock.advance(1000)
    list.revoke('b', clock.nowMs())
    assert.equal(list.size, 1)
    assert.equal(list.refuses('a', clock.nowMs()), false)
  })

  it('when full, refuses everything issued up to the time of what it forgot', () => {
    const clock = createFakeClock()
    const list = createRevocationList({ clock }, { capacity: 2 })
    const nowMs = clock.nowMs()
    for (const [at, id] of ['a', 'b', 'c'].entries()) list.revoke(id, nowMs - 10 + at)
    assert.equal(list.size, 2)
    assert.equal(list.refuses('a', nowMs - 10), true, 'a token of the forgotten session')
    assert.equal(list.refuses('x', nowMs - 11), true, 'the price: an innocent refreshes once')
    assert.equal(list.refuses('x', nowMs - 9), false)
  })

  it('refuses options out of bounds', () => {
    const clock = createFakeClock()
    assert.throws(() => createRevocationList({ clock }, { capacity: 0 }), RangeError)
    assert.throws(() => createRevocationList({ clock }, { retentionMs: 0 }), RangeError)
  })
})
