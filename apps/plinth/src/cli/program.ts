import { errorKinds, fromUnknown, type PlatformError } from '@plinth/base'
import { Command, CommanderError } from 'commander'
import type { CommandContext } from './command-context.ts'
import { addUpCommand } from './up.ts'

/** Exit codes that are not the ones of a fault's kind. */
export const exitCodes = { success: 0, crash: 1, usage: 2 } as const

/** Builds the whole command line. */
export function createProgram(context: CommandContext): Command {
  const program = new Command('plinth')
    .description('a commerce backend that runs: services, API and tools in one command')
    .showSuggestionAfterError()
    .showHelpAfterError('(plinth help shows all commands)')
    .enablePositionalOptions()
    .exitOverride()
  addUpCommand(program, context)
  return program
}

/** Runs one command line and answers the exit code. Never throws. */
export async function runProgram(argv: readonly string[], context: CommandContext & { readonly exitCode: number }) {
  const program = createProgram(context)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return context.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage
    return report(fromUnknown(error), { context, json: argv.includes('--json') })
  }
}

function report(
  error: PlatformError,
  { context, json }: { readonly context: CommandContext; readonly json: boolean },
): number {
  const { kind, code, message, retryable, details } = error
  const exitCode = kind === 'internal' && code === 'base.internal' ? exitCodes.crash : errorKinds[kind].exit
  const terminal = context.terminal({ json })
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: { kind, code, message, retryable, details } }, null, 2)}\n`)
    return exitCode
  }
  terminal.note(`${terminal.style.red('error')} ${message} ${terminal.style.dim(`(${code})`)}`)
  for (const { field, message: why } of details.violations ?? []) terminal.note(`  ${field}: ${why}`)
  // What nobody foresaw is for whoever mends it: the stack and its causes.
  if (exitCode === exitCodes.crash && error.cause !== undefined) terminal.note(String((error.cause as Error).stack))
  return exitCode
}
