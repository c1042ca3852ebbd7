import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { perDialect, sql } from './statement.ts'

const find = sql<{ id: string; n: number }>` select * from item where id = ${'id'} and n > ${'n'} or id <> ${'id'} `

describe('sql', () => {
  it('spells one statement for each engine', () => {
    assert.deepEqual(find.text('sqlite'), {
      text: 'select * from item where id = ? and n > ? or id <> ?',
      names: ['id', 'n', 'id'],
    })
    assert.deepEqual(find.text('postgres'), {
      text: 'select * from item where id = $1 and n > $2 or id <> $3',
      names: ['id', 'n', 'id'],
    })
  })

  it('takes literal text only: no call with a made-up text, no name that is not one', () => {
    const call = sql as unknown as (...args: unknown[]) => unknown
    for (const made of ['select 1', ['select 1'], undefined]) assert.throws(() => call(made), TypeError)
    const name = 'id; drop table item' as 'id'
    assert.throws(() => sql<{ id: string }>`select ${name}`, TypeError)
  })
})

describe('perDialect()', () => {
  it('chooses by engine', () => {
    const both = perDialect({ sqlite: sql`select 1`, postgres: sql`select 2` })
    assert.deepEqual([both.text('sqlite').text, both.text('postgres').text], ['select 1', 'select 2'])
  })
})
