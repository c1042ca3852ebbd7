import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Email } from './email.ts'
import { changeUser, keepOperator, type User } from './user.ts'

const user: User = {
  userId: 'u1',
  email: 'ada@example.com' as Email,
  isVerified: false,
  displayName: 'Ada',
  roles: ['customer'],
  passwordHash: 'hash',
  createdAtMs: 1,
  updatedAtMs: 1,
  version: 1,
}
const operator: User = { ...user, roles: ['operator'] }

describe('changeUser()', () => {
  it('changes what is named, the version and the time', () => {
    assert.deepEqual(changeUser(user, { change: { displayName: 'A. L.' }, nowMs: 5 }), {
      ...user,
      displayName: 'A. L.',
      updatedAtMs: 5,
      version: 2,
    })
  })

  it('leaves a user alone when nothing changes', () => {
    assert.equal(changeUser(user, { change: { displayName: 'Ada', roles: ['customer', 'customer'] }, nowMs: 5 }), user)
  })

  it('keeps roles sorted and single', () => {
    const change = { roles: ['operator', 'customer', 'operator'] as const }
    assert.deepEqual(changeUser(user, { change, nowMs: 5 }).roles, ['customer', 'operator'])
  })
})

describe('keepOperator()', () => {
  it('refuses to take the role from the last operator', () => {
    assert.deepEqual(keepOperator(operator, { rolesNext: ['customer'], operators: 1 }), { refused: 'last_operator' })
    assert.deepEqual(keepOperator(operator, { rolesNext: [], operators: 1 }), { refused: 'last_operator' })
  })

  it('lets all other changes be', () => {
    assert.equal(keepOperator(operator, { rolesNext: ['customer'], operators: 2 }), undefined)
    assert.equal(keepOperator(operator, { rolesNext: ['customer', 'operator'], operators: 1 }), undefined)
    assert.equal(keepOperator(user, { rolesNext: [], operators: 1 }), undefined)
  })
})
