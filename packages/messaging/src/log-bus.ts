import { type Clock, systemClock } from '@plinth/base'
import type { Bus } from './bus.ts'
import { type Disk, systemDisk } from './disk.ts'
import { LogBus } from './log-bus-core.ts'
import { type LogBusOptions, resolveLogBusOptions } from './log-bus-options.ts'

/** What the log needs of its surroundings; tests and simulation bring their own. */
export interface LogBusDeps {
  /** @default systemClock */
  readonly clock?: Clock
  /** @default the machine's disk */
  readonly disk?: Disk
}

/**
 * Opens the embedded durable log: the bus of one process, in a folder of its own. What an earlier process left torn
 * at its end is repaired; groups go on where they stopped.
 *
 * - `publish` resolves after `fdatasync`; publishes that wait at the same time share one.
 * - After a crash a group receives again what it handled within the last `checkpointMs`, and nothing else.
 * - Failed deliveries are counted across restarts as of the last checkpoint. A message that kills the process while
 *   it is handled does not count as failed.
 *
 * @throws PlatformError `messaging.folder_locked` when another process has the folder, `messaging.log_corrupt` when
 * something acknowledged is damaged: nothing is changed then.
 *
 * @example
 * ```ts no-run
 * await using bus = await openLogBus({ folder: './.plinth/bus' })
 * ```
 */
export async function openLogBus(options: LogBusOptions, deps: LogBusDeps = {}): Promise<Bus> {
  const resolved = resolveLogBusOptions(options)
  const disk = deps.disk ?? systemDisk
  await disk.makeFolder(resolved.folder)
  const lock = await disk.lock(resolved.folder)
  try {
    return await LogBus.open(resolved, { clock: deps.clock ?? systemClock, disk, lock })
  } catch (error) {
    await lock[Symbol.asyncDispose]()
    throw error
  }
}
