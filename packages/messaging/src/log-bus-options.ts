import { type MessageLimits, resolveLimits } from './message-limits.ts'

/** Where the log lives and every bound it keeps; out of bounds is a `RangeError` naming all of them. */
export interface LogBusOptions {
  /** Where the log lives; made if it is missing. One process at a time may have it open. */
  readonly folder: string
  readonly limits?: Partial<MessageLimits>
  /** Size of a segment file. 64 KiB to 1 GiB. @default 32 MiB */
  readonly segmentBytes?: number
  /**
   * Disk budget of the messages: past it `publish` refuses with `messaging.full`. At least two segments. What groups
   * have done and dead letters come on top: up to 8 MiB and five times `deadLetterBytesMax`. @default 4 GiB
   */
  readonly bytesMax?: number
  /** Messages that every group has handled are kept up to this size, for new groups. @default 1 GiB */
  readonly retainBytes?: number
  /** And up to this age. @default 7 days */
  readonly retainMs?: number
  /**
   * Whether size and age count for messages too that some group has not handled. `false` keeps those until they are,
   * however old: a group that never comes back then fills the budget.
   * @default false
   */
  readonly dropUnread?: boolean
  /** How long an acknowledgement may wait for its sync: what a crash redelivers at most. @default 100 */
  readonly checkpointMs?: number
  /** Messages in memory per group and topic. @default 1024 */
  readonly pendingMessages?: number
  /** Their payload bytes. @default 16 MiB */
  readonly pendingBytes?: number
  /** How far a group may run ahead of its oldest unhandled message, in messages. @default 65536 */
  readonly windowMessages?: number
  /** Bytes that may wait for the disk; past it `messaging.overloaded`. @default 64 MiB */
  readonly stagedBytesMax?: number
  /** @default 1000 */
  readonly topicsMax?: number
  /** Groups times topics. @default 10000 */
  readonly feedsMax?: number
  /** Past it failing messages stay with their group, and their keys wait. @default 10000 */
  readonly deadLettersMax?: number
  /** @default 64 MiB */
  readonly deadLetterBytesMax?: number
}

/** Options with every default filled in. */
export type ResolvedLogBusOptions = Required<Omit<LogBusOptions, 'limits'>> & { readonly limits: MessageLimits }

/** Fills in the defaults and reports every option that is out of bounds. */
export function resolveLogBusOptions(options: LogBusOptions): ResolvedLogBusOptions {
  const limits = resolveLimits(options.limits)
  const resolved: ResolvedLogBusOptions = {
    segmentBytes: 32 << 20,
    bytesMax: 4 * 2 ** 30,
    retainBytes: 2 ** 30,
    retainMs: 7 * 86_400_000,
    dropUnread: false,
    checkpointMs: 100,
    pendingMessages: 1024,
    pendingBytes: 16 << 20,
    windowMessages: 65_536,
    stagedBytesMax: 64 << 20,
    topicsMax: 1000,
    feedsMax: 10_000,
    deadLettersMax: 10_000,
    deadLetterBytesMax: 64 << 20,
    ...options,
    limits,
  }
  const problems: string[] = []
  const bound = (name: keyof LogBusOptions, low: number, high: number) => {
    const value = resolved[name]
    if (!(typeof value === 'number' && value >= low && value <= high)) problems.push(`${name} is ${low} to ${high}`)
  }
  if (resolved.folder === '') problems.push('folder is not empty')
  bound('segmentBytes', 4096, 2 ** 30)
  bound('bytesMax', 2 * resolved.segmentBytes, 2 ** 50)
  bound('retainBytes', 0, 2 ** 50)
  bound('retainMs', 0, 2 ** 50)
  bound('checkpointMs', 0, 60_000)
  bound('pendingMessages', 1, 1_000_000)
  bound('pendingBytes', 1, 2 ** 32)
  bound('windowMessages', 1, 10_000_000)
  bound('stagedBytesMax', 1024, 2 ** 30)
  bound('topicsMax', 1, 100_000)
  bound('feedsMax', 1, 1_000_000)
  bound('deadLettersMax', 0, 1_000_000)
  bound('deadLetterBytesMax', 0, 2 ** 30)
  if (problems.length > 0) throw new RangeError(`Cannot open the log: ${problems.join('; ')}`)
  return resolved
}
