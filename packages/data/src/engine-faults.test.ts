import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { isConnectionLost, isStalePlan, isWorthAnotherRun, postgresFault } from './postgres-faults.ts'
import { sqliteCommitFault, sqliteFault } from './sqlite-faults.ts'

const sqliteError = (errcode: number, message = 'no') =>
  Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode })
const postgresError = (code: string, more = {}) => Object.assign(new Error('no'), { code, severity: 'ERROR', ...more })

function shown(fault: unknown): readonly unknown[] {
  assert.ok(PlatformError.is(fault))
  return [fault.code, fault.kind, fault.retryable]
}

describe('sqliteFault()', () => {
  it('gives every family of errors its code, kind and answer to another try', () => {
    const table: readonly (readonly [number, string, string, boolean])[] = [
      [2067, 'data.unique_violation', 'exists', false],
      [1555, 'data.unique_violation', 'exists', false],
      [2579, 'data.unique_violation', 'exists', false],
      [787, 'data.foreign_key_violation', 'precondition', false],
      [275, 'data.check_violation', 'precondition', false],
      [1299, 'data.value_refused', 'internal', false],
      [3091, 'data.value_refused', 'internal', false],
      [18, 'data.value_too_large', 'invalid', false],
      [13, 'data.disk_full', 'exhausted', true],
      [7, 'data.memory_exhausted', 'exhausted', true],
      [517, 'data.busy', 'unavailable', true],
      [262, 'data.busy', 'unavailable', true],
      [778, 'data.io_failed', 'unavailable', true],
      [14, 'data.cannot_open', 'unavailable', true],
      [779, 'data.corrupt', 'internal', false],
      [26, 'data.corrupt', 'internal', false],
      [8, 'data.read_only', 'internal', false],
      [1, 'data.statement_refused', 'internal', false],
    ]
    for (const [errcode, ...expected] of table) assert.deepEqual(shown(sqliteFault(sqliteError(errcode))), expected)
  })

  it('names the constraint, and leaves what is not the engine’s', () => {
    const fault = sqliteFault(sqliteError(2067, 'UNIQUE constraint failed: item.slug'))
    assert.ok(PlatformError.is(fault))
    assert.deepEqual(fault.details, { constraint: 'item.slug' })
    for (const other of [new Error('no'), 'no', undefined, new TypeError('no')]) assert.equal(sqliteFault(other), other)
  })
})

describe('sqliteCommitFault()', () => {
  it('knows that nobody knows after a failed flush, and names the other failures', () => {
    assert.deepEqual(shown(sqliteCommitFault(sqliteError(1034))), ['data.commit_unknown', 'unavailable', false])
    assert.deepEqual(shown(sqliteCommitFault(sqliteError(13))), ['data.disk_full', 'exhausted', true])
    assert.deepEqual(shown(sqliteCommitFault(sqliteError(778))), ['data.io_failed', 'unavailable', true])
    assert.deepEqual(shown(sqliteCommitFault(new Error('no'))), ['data.commit_failed', 'internal', false])
  })
})

describe('postgresFault()', () => {
  it('gives every class of errors its code, kind and answer to another try', () => {
    const table: readonly (readonly [string, string, string, boolean])[] = [
      ['23505', 'data.unique_violation', 'exists', false],
      ['23503', 'data.foreign_key_violation', 'precondition', false],
      ['23514', 'data.check_violation', 'precondition', false],
      ['23502', 'data.value_refused', 'internal', false],
      ['22P02', 'data.value_refused', 'internal', false],
      ['42804', 'data.value_refused', 'internal', false],
      ['22003', 'data.number_out_of_range', 'invalid', false],
      ['54000', 'data.value_too_large', 'invalid', false],
      ['40001', 'data.serialization_failed', 'conflict', true],
      ['40P01', 'data.serialization_failed', 'conflict', true],
      ['57014', 'data.statement_timeout', 'timeout', true],
      ['55P03', 'data.busy', 'unavailable', true],
      ['25006', 'data.read_only', 'internal', false],
      ['53100', 'data.disk_full', 'exhausted', true],
      ['53200', 'data.memory_exhausted', 'exhausted', true],
      ['53300', 'data.pool_exhausted', 'exhausted', true],
      ['58030', 'data.io_failed', 'unavailable', true],
      ['XX001', 'data.corrupt', 'internal', false],
      ['28P01', 'data.cannot_open', 'unavailable', false],
      ['3D000', 'data.cannot_open', 'unavailable', false],
      ['08006', 'data.connection_lost', 'unavailable', true],
      ['57P01', 'data.connection_lost', 'unavailable', true],
      ['25P03', 'data.connection_lost', 'unavailable', true],
      ['42601', 'data.statement_refused', 'internal', false],
    ]
    for (const [code, ...expected] of table) assert.deepEqual(shown(postgresFault(postgresError(code))), expected, code)
  })

  it('takes the ends of a connection for what they are, and leaves what is not the engine’s', () => {
    for (const reason of [
      Object.assign(new Error('no'), { code: 'ECONNRESET' }),
      new Error('Connection terminated unexpectedly'),
      new Error('Client has encountered a connection error and is not queryable'),
    ]) {
      assert.ok(isConnectionLost(postgresFault(reason)))
    }
    for (const other of [new Error('no'), 'no', undefined, new TypeError('connection')]) {
      assert.equal(postgresFault(other), other)
    }
  })

  it('tells which units are worth another run', () => {
    const stale = postgresFault(postgresError('0A000', { routine: 'RevalidateCachedQuery' }))
    assert.deepEqual([isStalePlan(stale), isWorthAnotherRun(stale)], [true, true])
    assert.ok(isWorthAnotherRun(postgresFault(postgresError('40001'))))
    for (const code of ['23505', '08006', '57014']) assert.ok(!isWorthAnotherRun(postgresFault(postgresError(code))))
    assert.ok(!isWorthAnotherRun(undefined))
  })
})
