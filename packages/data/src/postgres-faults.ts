import { type ErrorKind, PlatformError } from '@plinth/base'

interface FaultShape {
  readonly kind: ErrorKind
  readonly code: string
  readonly message: string
  readonly retryable?: boolean
}

const valueRefused: FaultShape = {
  kind: 'internal',
  code: 'data.value_refused',
  message: 'Cannot store the row: a value does not fit',
}
const lost: FaultShape = {
  kind: 'unavailable',
  code: 'data.connection_lost',
  message: 'Cannot finish the transaction: the connection to the database was lost',
}
const cannotOpen: FaultShape = {
  kind: 'unavailable',
  code: 'data.cannot_open',
  message: 'Cannot open the database: the server refused the connection',
  retryable: false,
}

// SQLSTATE (PostgreSQL documentation, appendix A): whole codes first, then classes.
const shapes = new Map<string, FaultShape>([
  ['23505', { kind: 'exists', code: 'data.unique_violation', message: 'Cannot store the row: one like it exists' }],
  [
    '23503',
    { kind: 'precondition', code: 'data.foreign_key_violation', message: 'Cannot change the row: others depend on it' },
  ],
  ['23514', { kind: 'precondition', code: 'data.check_violation', message: 'Cannot store the row: it breaks a rule' }],
  ['23502', valueRefused],
  ['42804', valueRefused],
  [
    '22003',
    { kind: 'invalid', code: 'data.number_out_of_range', message: 'Cannot store the row: a number is too large' },
  ],
  ['22', valueRefused],
  ['54', { kind: 'invalid', code: 'data.value_too_large', message: 'Cannot store the row: a value is too large' }],
  ['40001', { kind: 'conflict', code: 'data.serialization_failed', message: 'Cannot commit: others changed the same' }],
  [
    '40P01',
    { kind: 'conflict', code: 'data.serialization_failed', message: 'Cannot commit: two units held each other' },
  ],
  ['57014', { kind: 'timeout', code: 'data.statement_timeout', message: 'Cannot finish the statement in time' }],
  ['55P03', { kind: 'unavailable', code: 'data.busy', message: 'Cannot go on: another process holds the lock' }],
  ['25006', { kind: 'internal', code: 'data.read_only', message: 'Cannot write: the transaction is read-only' }],
  ['53100', { kind: 'exhausted', code: 'data.disk_full', message: 'Cannot write: the disk or the database is full' }],
  [
    '53200',
    { kind: 'exhausted', code: 'data.memory_exhausted', message: 'Cannot go on: the engine has no memory left' },
  ],
  [
    '53300',
    { kind: 'exhausted', code: 'data.pool_exhausted', message: 'Cannot connect: the server has no place left' },
  ],
  ['58030', { kind: 'unavailable', code: 'data.io_failed', message: 'Cannot reach the data: the disk failed' }],
  ['XX001', { kind: 'internal', code: 'data.corrupt', message: 'Cannot read the database: it is damaged' }],
  ['XX002', { kind: 'internal', code: 'data.corrupt', message: 'Cannot read the database: it is damaged' }],
  ['28', cannotOpen],
  ['3D', cannotOpen],
  ['08', lost],
  // Administrator shutdown, crash shutdown, starting up, idle in transaction for too long.
  ['57P', lost],
  ['25P03', lost],
])

const systemCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT'])

/**
 * Makes a fault of what pg threw; what is not pg's goes through unchanged. Messages are ours and so name neither
 * host nor user; the cause is pg's own error, which holds no password.
 */
export function postgresFault(reason: unknown): unknown {
  if (!Error.isError(reason) || PlatformError.is(reason) || reason instanceof TypeError) return reason
  const shape = shapeOf(reason)
  if (!shape) return reason
  const { constraint } = reason as { constraint?: unknown }
  return new PlatformError(shape.message, {
    kind: shape.kind,
    code: shape.code,
    ...(shape.retryable === undefined ? {} : { retryable: shape.retryable }),
    cause: reason,
    ...(typeof constraint === 'string' ? { details: { constraint } } : {}),
  })
}

/** Whether the same unit, run again, may pass: it lost a race, or a statement was prepared before a migration. */
export function isWorthAnotherRun(fault: unknown): boolean {
  return (PlatformError.is(fault) && fault.code === 'data.serialization_failed') || isStalePlan(fault)
}

/** Whether a prepared statement no longer fits its table; it never will on that connection. */
export function isStalePlan(fault: unknown): boolean {
  return (
    PlatformError.is(fault) && (fault.cause as { routine?: unknown } | undefined)?.routine === 'RevalidateCachedQuery'
  )
}

/** Whether the connection is gone, and with it a transaction that had not been committed. */
export function isConnectionLost(fault: unknown): boolean {
  return PlatformError.is(fault) && fault.code === 'data.connection_lost'
}

function shapeOf(reason: Error): FaultShape | undefined {
  const { code, severity } = reason as { code?: unknown; severity?: unknown }
  if (typeof code === 'string') {
    if (systemCodes.has(code)) return lost
    if (severity !== undefined) {
      const shape = shapes.get(code) ?? shapes.get(code.slice(0, 3)) ?? shapes.get(code.slice(0, 2))
      return (
        shape ?? {
          kind: 'internal',
          code: 'data.statement_refused',
          message: 'Cannot run the statement: the engine refused it',
        }
      )
    }
  }
  // pg has no codes for the ends of its own connections.
  return /connection|timeout expired|not queryable/i.test(reason.message) ? lost : undefined
}
