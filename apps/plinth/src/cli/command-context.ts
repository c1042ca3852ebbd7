import { exitCodes } from './exit-codes.ts'
import { createTerminal, type Terminal, type TerminalOptions } from './terminal.ts'

/** What a command needs of the process. The one place that reads it. */
export interface CommandContext {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  /** Aborts on the first Ctrl-C of a client command, so that streams end in good order. */
  readonly signal: AbortSignal
  terminal(options: TerminalOptions): Terminal
  /** Ends the process with this code once the command has returned. */
  exit(code: number): void
}

/** The context with what its owner reads when the command has returned. */
export interface ProcessContext extends CommandContext {
  readonly exitCode: number
  readonly interrupted: boolean
}

/** Makes the context of this process. A reader that goes away (`plinth … | head`) ends it without a word. */
export function createCommandContext(): ProcessContext {
  const controller = new AbortController()
  let exitCode: number = exitCodes.success
  let listening = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.success)
    throw error
  })
  return {
    environment: process.env,
    stdin: process.stdin,
    get signal() {
      // Listening only once somebody cares leaves the servers' own handling of signals alone. The second Ctrl-C finds
      // no listener and ends the process at once.
      if (!listening) process.once('SIGINT', () => controller.abort())
      listening = true
      return controller.signal
    },
    terminal: (options) =>
      createTerminal({ stdout: process.stdout, stderr: process.stderr, environment: process.env }, options),
    exit(code) {
      exitCode = code
    },
    get exitCode() {
      return exitCode
    },
    get interrupted() {
      return controller.signal.aborted
    },
  }
}
