import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { PlatformError } from '@plinth/base'
import type { CommandContext } from '../command-context.ts'

const stdinCharsMax = 10_000

/** Where a password may come from, strongest first: `--password-stdin`, PLINTH_PASSWORD, a prompt. Never a flag. */
export async function readPassword(
  context: CommandContext,
  options: { readonly passwordStdin?: boolean; readonly repeat?: boolean },
): Promise<string> {
  if (options.passwordStdin) return await readLineOfStdin(context)
  const variable = context.environment.PLINTH_PASSWORD ?? ''
  if (variable !== '') return variable
  const password = await ask(context, { question: 'Password: ', secret: true })
  if (options.repeat && (await ask(context, { question: 'Again:    ', secret: true })) !== password) {
    throw new PlatformError('Cannot go on: the passwords differ', { kind: 'invalid', code: 'plinth.passwords_differ' })
  }
  return password
}

/**
 * Asks on the terminal; what is secret is not shown.
 *
 * @throws PlatformError `plinth.no_terminal` (invalid) when nobody is there to answer.
 */
export async function ask(
  { stdin, signal }: CommandContext,
  { question, secret = false }: { readonly question: string; readonly secret?: boolean },
): Promise<string> {
  if (!stdin.isTTY) {
    throw new PlatformError(`Cannot ask "${question.trim()}": there is no terminal; see --help for other ways`, {
      kind: 'invalid',
      code: 'plinth.no_terminal',
    })
  }
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: secret ? hidden : process.stderr, terminal: true })
  // In raw mode Ctrl-C is a key, and ends the command as it would elsewhere.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    if (secret) process.stderr.write(question)
    return await lines.question(secret ? '' : question, { signal })
  } finally {
    lines.close()
    if (secret) process.stderr.write('\n')
  }
}

async function readLineOfStdin({ stdin }: CommandContext): Promise<string> {
  let text = ''
  for await (const chunk of stdin) {
    text += chunk
    if (text.length > stdinCharsMax) break
  }
  const password = text.split(/\r?\n/, 1)[0] ?? ''
  if (password === '') {
    throw new PlatformError('Cannot read the password: stdin is empty', {
      kind: 'invalid',
      code: 'plinth.password_missing',
    })
  }
  return password
}
