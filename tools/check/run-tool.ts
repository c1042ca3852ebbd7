import { spawn } from 'node:child_process'

/** How a tool ended and all it printed. */
export interface ToolResult {
  readonly code: number
  readonly output: string
}

/** Ten minutes: no tool of ours takes as long, so one that does hangs. */
const timeoutMsDefault = 600_000

/**
 * Runs a tool without a shell and collects what it prints. One that cannot start has failed with code 127, one that
 * takes longer than `timeoutMs` (default ten minutes) is killed and has failed with code 124.
 */
export function runTool(
  root: string,
  [command = '', ...args]: readonly string[],
  options: { readonly timeoutMs?: number } = {},
): Promise<ToolResult> {
  const timeout = options.timeoutMs ?? timeoutMsDefault
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], timeout, killSignal: 'SIGKILL' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 127, output: `Cannot run ${command}: ${error.message}` }))
    child.on('close', (code, signal) => {
      resolve({ code: code ?? (signal === 'SIGKILL' ? 124 : 1), output: output.trim() })
    })
  })
}
