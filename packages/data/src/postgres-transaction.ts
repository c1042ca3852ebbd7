import { type Clock, PlatformError } from '@plinth/base'
import { isStalePlan, isWorthAnotherRun, postgresFault } from './postgres-faults.ts'
import type { Lease } from './postgres-pool.ts'
import { unitTooLong, withinTime } from './time-limit.ts'
import { UnitOfWork } from './unit-of-work.ts'

export interface TransactionOptions {
  /** Readers have nothing to commit, and nothing to lose when the end of their transaction fails. */
  readonly end: 'commit' | 'rollback'
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** What a transaction brought. */
export interface Committed<T> {
  readonly value: T
  readonly callbacks: readonly (() => void)[] | undefined
}

// The server answers a rollback at once unless it is busy with a statement; then closing the connection is quicker.
const rollbackTimeoutMs = 1000

/** Begins a transaction; nothing has happened yet if it fails. */
export async function begin(lease: Lease, text: string): Promise<void> {
  try {
    await lease.session.script(text)
  } catch (error) {
    lease.spoil()
    throw postgresFault(error)
  }
}

/**
 * Runs `work` in a transaction that has begun and ends it. Whenever the state of the connection is not known
 * afterwards the lease is spoilt, so the next user gets a fresh one.
 */
export async function complete<Schema, T>(
  lease: Lease,
  work: (unit: UnitOfWork<Schema>) => Promise<T>,
  options: TransactionOptions,
): Promise<Committed<T>> {
  const { clock, timeoutMs, signal } = options
  const unit = new UnitOfWork<Schema>(lease.session, signal)
  const late = () => {
    const fault = unitTooLong(timeoutMs)
    unit.end(fault)
    lease.spoil()
    return fault
  }
  let value: T
  try {
    value = await withinTime(work(unit), { clock, timeoutMs, signal, late })
    if (unit.ended) throw unit.ended.reason
  } catch (error) {
    const failure = unit.ended?.reason
    unit.end(error)
    // A statement may be under way still; nobody waits for it.
    if (signal.aborted || isStalePlan(failure)) lease.spoil()
    await rollback(lease, clock)
    // What the work made of a lost race does not matter: it gets another run.
    throw isWorthAnotherRun(failure) ? failure : error
  }
  unit.close()
  if (options.end === 'rollback') await rollback(lease, clock)
  else await commit(lease, options)
  return { value, callbacks: unit.callbacks }
}

async function rollback(lease: Lease, clock: Clock): Promise<void> {
  if (lease.isSpoilt) return
  try {
    const late = () => unitTooLong(rollbackTimeoutMs)
    await withinTime(lease.session.script('rollback'), { clock, timeoutMs: rollbackTimeoutMs, late })
  } catch {
    // The server rolls back what a closed connection left open.
    lease.spoil()
  }
}

async function commit(lease: Lease, options: TransactionOptions): Promise<void> {
  const { clock, timeoutMs } = options
  let tag: string
  try {
    // The signal no longer counts: a commit that is on its way cannot be called back.
    tag = await withinTime(lease.session.script('commit'), { clock, timeoutMs, late: () => unitTooLong(timeoutMs) })
  } catch (error) {
    const fault = postgresFault(error)
    if (isVerdict(fault)) {
      await rollback(lease, clock)
      throw fault
    }
    lease.spoil()
    throw new PlatformError('Cannot tell whether the commit happened: the connection was lost meanwhile', {
      kind: 'unavailable',
      code: 'data.commit_unknown',
      retryable: false,
      cause: error,
    })
  }
  // To a transaction that had failed the server answers a commit with a rollback, and calls that a success.
  if (tag !== 'COMMIT') {
    throw new PlatformError('Cannot commit: a statement of the unit had failed', {
      kind: 'internal',
      code: 'data.commit_failed',
      details: { tag },
    })
  }
}

/** Whether the server itself said that the commit did not happen. */
function isVerdict(fault: unknown): boolean {
  if (!PlatformError.is(fault)) return false
  const { severity, code } = (fault.cause ?? {}) as { severity?: unknown; code?: unknown }
  // Class 57P ends the backend, which may be after the commit took effect.
  return severity !== undefined && typeof code === 'string' && !code.startsWith('57P') && !code.startsWith('08')
}
