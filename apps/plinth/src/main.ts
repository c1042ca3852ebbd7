/**
 * The plinth command.
 * @module
 */
import { createCommandContext } from './cli/command-context.ts'
import { runProgram } from './cli/program.ts'

const context = createCommandContext()
process.exit(await runProgram(process.argv.slice(2), context))
