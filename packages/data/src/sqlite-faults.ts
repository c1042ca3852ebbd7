import { type ErrorKind, PlatformError } from '@plinth/base'
import { numberOutOfRange } from './values.ts'

interface FaultShape {
  readonly kind: ErrorKind
  readonly code: string
  readonly message: string
}

// Extended result codes first, then primary ones (sqlite.org/rescode.html).
const shapes = new Map<number, FaultShape>([
  [2067, { kind: 'exists', code: 'data.unique_violation', message: 'Cannot store the row: one like it exists' }],
  [1555, { kind: 'exists', code: 'data.unique_violation', message: 'Cannot store the row: one like it exists' }],
  [2579, { kind: 'exists', code: 'data.unique_violation', message: 'Cannot store the row: one like it exists' }],
  [
    787,
    { kind: 'precondition', code: 'data.foreign_key_violation', message: 'Cannot change the row: others depend on it' },
  ],
  [275, { kind: 'precondition', code: 'data.check_violation', message: 'Cannot store the row: it breaks a rule' }],
  [19, { kind: 'internal', code: 'data.value_refused', message: 'Cannot store the row: a value does not fit' }],
  [20, { kind: 'internal', code: 'data.value_refused', message: 'Cannot store the row: a value does not fit' }],
  [18, { kind: 'invalid', code: 'data.value_too_large', message: 'Cannot store the row: a value is too large' }],
  [13, { kind: 'exhausted', code: 'data.disk_full', message: 'Cannot write: the disk or the database is full' }],
  [7, { kind: 'exhausted', code: 'data.memory_exhausted', message: 'Cannot go on: the engine has no memory left' }],
  [5, { kind: 'unavailable', code: 'data.busy', message: 'Cannot write: another process holds the database' }],
  [6, { kind: 'unavailable', code: 'data.busy', message: 'Cannot write: another process holds the database' }],
  [10, { kind: 'unavailable', code: 'data.io_failed', message: 'Cannot reach the database file: the disk failed' }],
  [14, { kind: 'unavailable', code: 'data.cannot_open', message: 'Cannot open the database file' }],
  [11, { kind: 'internal', code: 'data.corrupt', message: 'Cannot read the database: it is damaged' }],
  [26, { kind: 'internal', code: 'data.corrupt', message: 'Cannot read the database: it is not a database' }],
  [8, { kind: 'internal', code: 'data.read_only', message: 'Cannot write: the transaction or the file is read-only' }],
])

const ioErrorFsync = 1034

/** Makes a fault of what node:sqlite threw; what is not SQLite's goes through unchanged. */
export function sqliteFault(reason: unknown): unknown {
  if (!Error.isError(reason)) return reason
  const { code, errcode } = reason as { code?: unknown; errcode?: unknown }
  if (code === 'ERR_OUT_OF_RANGE') {
    return numberOutOfRange('Cannot return the row: an integer is beyond 2^53', 'internal', reason)
  }
  if (code !== 'ERR_SQLITE_ERROR' || typeof errcode !== 'number') return reason
  const shape = shapes.get(errcode) ?? shapes.get(errcode & 0xff)
  if (!shape) {
    return new PlatformError('Cannot run the statement: the engine refused it', {
      kind: 'internal',
      code: 'data.statement_refused',
      cause: reason,
    })
  }
  const constraint = /constraint failed: (.+)$/.exec(reason.message)?.[1]
  return new PlatformError(shape.message, {
    kind: shape.kind,
    code: shape.code,
    cause: reason,
    ...(constraint === undefined ? {} : { details: { constraint } }),
  })
}

/**
 * The fault of a commit that threw. When only the fsync failed the frames may have reached the disk and could be
 * found again after a crash, so nobody can say whether the units happened.
 */
export function sqliteCommitFault(reason: unknown): PlatformError {
  if ((reason as { errcode?: unknown } | null)?.errcode === ioErrorFsync) {
    return new PlatformError('Cannot tell whether the commit happened: the disk failed to flush', {
      kind: 'unavailable',
      code: 'data.commit_unknown',
      retryable: false,
      cause: reason,
    })
  }
  const fault = sqliteFault(reason)
  if (PlatformError.is(fault)) return fault
  return new PlatformError('Cannot commit: the engine failed', {
    kind: 'internal',
    code: 'data.commit_failed',
    cause: reason,
  })
}
