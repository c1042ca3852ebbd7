import { createTerminal, type Terminal } from './terminal.ts'

/** What a command needs of the process. The one place that reads it. */
export interface CommandContext {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  /** Aborts on the first Ctrl-C of a client command, so that streams end in good order. */
  readonly signal: AbortSignal
  terminal(options: { readonly json?: boolean | undefined }): Terminal
  /** Ends the process with this code once the command has returned. */
  exit(code: number): void
}

export function createCommandContext(): CommandContext & { readonly exitCode: number } {
  const controller = new AbortController()
  let exitCode = 0
  return {
    environment: process.env,
    stdin: process.stdin,
    get signal() {
      // Listening only once somebody cares leaves the servers' own handling of signals alone.
      process.once('SIGINT', () => controller.abort())
      return controller.signal
    },
    terminal: ({ json = false }) => createTerminal({ ...streams(), environment: process.env }, { json }),
    exit(code) {
      exitCode = code
    },
    get exitCode() {
      return exitCode
    },
  }
}

function streams() {
  return { stdout: process.stdout, stderr: process.stderr }
}
