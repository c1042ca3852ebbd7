/**
 * The plinth command.
 * @module
 */
import { MessageChannel } from 'node:worker_threads'
import { createCommandContext } from './cli/command-context.ts'
import { runProgram } from './cli/program.ts'

// The clock's timers keep no process alive; an open port does, while a command waits for nothing else.
new MessageChannel().port1.ref()
const context = createCommandContext()
process.exit(await runProgram(process.argv.slice(2), context))
