import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { PlatformError } from '@plinth/base'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import type { Login } from './remote/credentials.ts'
import { ask, readPassword } from './remote/password.ts'
import { type Remote, withRemote } from './remote/remote.ts'
import { toLogin } from './remote/session.ts'
import { clean } from './text.ts'

interface LoginOptions {
  readonly passwordStdin?: boolean
  readonly operator?: boolean
  readonly data: string
}

/** What proves who somebody is. */
export interface Proof {
  readonly email: string
  readonly password: string
}

/** `plinth login`. */
export function addLoginCommand(program: Command, context: CommandContext): void {
  program
    .command('login')
    .description('log in and keep the tokens for the next commands')
    .argument('[email]', 'address of mail; asked for when it is missing')
    .option('--password-stdin', 'read the password from stdin; or set PLINTH_PASSWORD; else it is asked for')
    .option('--operator', 'as the first operator of a shop on this machine')
    .option('--data <folder>', 'data folder of that shop', '.plinth')
    .addHelpText('after', examples)
    .action((email: string | undefined, options: LoginOptions, command: Command) =>
      withRemote({ command, context }, async (remote) => {
        const proof = options.operator
          ? await readOperator(join(options.data, 'operator.json'))
          : {
              email: email ?? (await ask(context, { question: 'Email: ' })),
              password: await readPassword(context, options),
            }
        const login = await signIn(remote, proof)
        const { server, name } = remote.session.key
        remote.terminal.answer({ email: login.email, userId: login.userId, sessionId: login.sessionId, server }, () => [
          `Logged in at ${server} as ${clean(login.email)}${name === 'default' ? '' : ` (--as ${name})`}.`,
        ])
      }),
    )
}

const examples = `
Examples:
  plinth login ada@example.com
  pass show shop | plinth login ada@example.com --password-stdin
  plinth login --operator --as boss        then: plinth orders list --as boss

A name given with --as keeps several logins side by side; without it the new login replaces the last one.`

/** Logs in and keeps the tokens. */
export async function signIn({ auth, session }: Remote, { email, password }: Proof): Promise<Login> {
  const tokens = await auth.login({ email, password, deviceName: `plinth on ${clean(hostname()).slice(0, 80)}` })
  const login = toLogin(tokens, email)
  await session.keep(login)
  return login
}

async function readOperator(path: string): Promise<Proof> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (isProof(value)) return value
  } catch (error) {
    throw missing(path, error)
  }
  throw missing(path)
}

function isProof(value: unknown): value is Proof {
  if (typeof value !== 'object' || value === null || !('email' in value) || !('password' in value)) return false
  return typeof value.email === 'string' && typeof value.password === 'string'
}

function missing(path: string, cause?: unknown): PlatformError {
  return new PlatformError(`Cannot read the credentials of the operator from ${path}`, {
    kind: 'not_found',
    code: 'plinth.operator_file_missing',
    cause,
  })
}
