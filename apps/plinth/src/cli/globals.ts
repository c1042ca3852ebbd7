import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from './text.ts'

/** Options that every command takes, before or behind its own. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly quiet?: boolean
  /** `host:port` of the gRPC edge. */
  readonly server?: string
  /** Which of the logins kept for a server. */
  readonly as?: string
  /** Of one call, in milliseconds. */
  readonly timeout?: number
  readonly idempotencyKey?: string
}

/** Adds the options of every command. */
export function addGlobalOptions(program: Command): void {
  program
    .option('--json', 'answer as JSON: one document, or one a line for streams')
    .option('-q, --quiet', 'no notes and no progress; answers shrink to what a script wants')
    .addOption(new Option('--server <host:port>', 'gRPC address of the shop').env('PLINTH_SERVER'))
    .addOption(new Option('--as <name>', 'which login to use, when there are several').env('PLINTH_AS'))
    .option('--timeout <duration>', 'time for one call: 500ms, 30s, 5m (default: 30s)', toDuration)
    .option('--idempotency-key <key>', 'repeat a command under the same key and it happens once')
}

/** The value of an option that is a span of time, 1 ms to 1 h. */
export function toDuration(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined || ms < 1 || ms > 3_600_000) throw new InvalidArgumentError('Say 500ms, 30s or 5m, at most 1h.')
  return ms
}

/** The value of an option that is a whole number within bounds. */
export function toInteger(bounds: { readonly min: number; readonly max: number }): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^-?\d+$/.test(text) && value >= bounds.min && value <= bounds.max) return value
    throw new InvalidArgumentError(`Say a whole number from ${bounds.min} to ${bounds.max}.`)
  }
}

/** Collects `name=value` of an option that may be given several times. */
export function toPairs(text: string, before: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Say name=value.')
  return new Map([...before, [text.slice(0, at), text.slice(at + 1)]])
}
