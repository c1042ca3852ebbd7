/** Runs a program on the chosen Node and becomes transparent: signals go in, the exit code comes out. */
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'

/**
 * @param {string} root
 * @param {string} node
 * @param {readonly string[]} args
 * @param {(line: string) => never} fail
 */
export function runProgram(root, node, args, fail) {
  const child = spawn(node, args, {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`,
      // Compiled code is kept between runs: a warm start skips stripping and parsing.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compiled'),
    },
  })
  // A terminal sends Ctrl-C to the whole foreground group, so the child has it already; sent twice it would mean
  // "stop at once". Without a terminal the signal came to this process alone.
  const hasTerminal = Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY)
  const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of forwarded) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !hasTerminal) child.kill(signal)
    })
  }
  return new Promise(() => {
    child.on('error', (error) => {
      fail(`Cannot run ${node}: ${error.message}. On a system without glibc install Node 26.10 or newer yourself.`)
    })
    child.on('exit', (code, signal) => {
      if (!signal) process.exit(code ?? 1)
      for (const name of forwarded) process.removeAllListeners(name)
      // Dies of what the child died of, so that the caller sees the same.
      process.kill(process.pid, signal)
    })
  })
}
