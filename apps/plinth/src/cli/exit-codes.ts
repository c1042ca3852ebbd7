import { errorKinds } from '@plinth/base'

/** Exit codes that are not the ones of a fault's kind. */
export const exitCodes = { success: 0, crash: 1, usage: 2, interrupted: 130 } as const

/** Every exit code with its meaning, in order. */
export function exitCodeTable(): readonly (readonly [number, string])[] {
  const kinds = Object.entries(errorKinds).map(([kind, { exit, title }]) => [exit, `${kind}: ${title}`] as const)
  return [
    [exitCodes.success, 'done'],
    [exitCodes.crash, 'crash: a bug of this program'],
    [exitCodes.usage, 'wrong usage: an unknown command, option or value'],
    ...kinds,
    [exitCodes.interrupted, 'ended by Ctrl-C'],
  ]
}
