import { spawn } from 'node:child_process'

/** How a tool ended and all it printed. */
export interface ToolResult {
  readonly code: number
  readonly output: string
}

/** Runs a tool without a shell and collects what it prints. One that cannot start has failed with code 127. */
export function runTool(root: string, [command = '', ...args]: readonly string[]): Promise<ToolResult> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 127, output: `Cannot run ${command}: ${error.message}` }))
    child.on('close', (code) => resolve({ code: code ?? 1, output: output.trim() }))
  })
}
