import { fromUnknown } from '@plinth/base'
import { Command, CommanderError } from 'commander'
import type { CommandContext, ProcessContext } from './command-context.ts'
import { type CommandEntry, commands } from './commands.ts'
import { exitCodes, exitCodeTable } from './exit-codes.ts'
import { addGlobalOptions } from './globals.ts'
import { reportFault } from './report.ts'

/**
 * Builds the command line with the code of the named commands only; of the others it knows name and description. That
 * keeps `plinth version` from reading a web server.
 */
export async function createProgram(context: CommandContext, names: ReadonlySet<string>): Promise<Command> {
  const program = new Command('plinth')
    .description('A commerce backend that runs: services, API and tools in one command.')
    .showSuggestionAfterError()
    .showHelpAfterError('(plinth help shows all commands)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .option('-V, --version', 'print the version')
    .helpCommand('help [command]', 'show help for a command, or for exit-codes')
    .addHelpText('after', tour)
  addGlobalOptions(program)
  for (const entry of commands) {
    if (names.has(entry.name)) (await entry.load())(program, context)
    else addStub(program, entry)
    program.commands.at(-1)?.helpGroup(entry.group)
  }
  program
    .command('exit-codes', { hidden: true })
    .description('what the exit codes mean')
    .addHelpText('after', () => `\n${exitCodeLines().join('\n')}`)
    .action((_, command: Command) => printExitCodes(command, context))
  for (const command of everyCommand(program)) command.exitOverride().showHelpAfterError('(--help shows how to use it)')
  return program
}

const tour = `
Examples:
  plinth up                                     run the shop
  plinth register ada@example.com               make an account
  plinth catalog search jackson --in-stock      look around
  plinth orders place --line FILM-1000=1 --card card_ok
  plinth orders list

plinth help exit-codes lists what the exit codes mean.`

function addStub(program: Command, { name, description }: CommandEntry): void {
  program.command(name).description(description)
}

/** The program and all commands below it. */
export function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

function printExitCodes(command: Command, context: CommandContext): void {
  const terminal = context.terminal(command.optsWithGlobals())
  terminal.answer(
    exitCodeTable().map(([code, meaning]) => ({ code, meaning })),
    exitCodeLines,
  )
}

function exitCodeLines(): readonly string[] {
  return exitCodeTable().map(([code, meaning]) => `${String(code).padStart(4)}  ${meaning}`)
}

/** Runs one command line and answers the exit code. Never throws. */
export async function runProgram(argv: readonly string[], context: ProcessContext): Promise<number> {
  const wanted = commandIn(argv)
  try {
    if (wanted === undefined && argv.some((word) => word === '-V' || word === '--version')) {
      return await runProgram(['version', ...argv.filter((word) => word !== '-V' && word !== '--version')], context)
    }
    const program = await createProgram(context, new Set(wanted))
    await program.parseAsync(argv.length === 0 ? ['help'] : [...argv], { from: 'user' })
    return context.interrupted ? exitCodes.interrupted : context.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage
    if (context.interrupted) return exitCodes.interrupted
    const terminal = context.terminal({ json: argv.includes('--json') })
    return reportFault(fromUnknown(error), terminal)
  }
}

/** Commands whose code a command line needs: that of its first word that is one. `help NAME` needs the code of NAME. */
function commandIn(argv: readonly string[]): readonly string[] | undefined {
  for (const word of argv) {
    const entry = commands.find(({ name }) => name === word)
    if (entry) return entry.needsAll ? commands.map(({ name }) => name) : [word]
  }
  return undefined
}
