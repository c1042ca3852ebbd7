import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { signIn } from './login.ts'
import { ask, readPassword } from './remote/password.ts'
import { withRemote } from './remote/remote.ts'
import { clean } from './text.ts'

interface RegisterOptions {
  readonly name?: string
  readonly passwordStdin?: boolean
  readonly login: boolean
}

/** `plinth register`: an account and a login. */
export function addRegisterCommand(program: Command, context: CommandContext): void {
  program
    .command('register')
    .description('make an account and log in')
    .argument('[email]', 'address of mail; asked for when it is missing')
    .option('--name <text>', 'name to be called by')
    .option('--password-stdin', 'read the password from stdin; or set PLINTH_PASSWORD; else it is asked for')
    .option('--no-login', 'only make the account')
    .action((email: string | undefined, options: RegisterOptions, command: Command) =>
      withRemote({ command, context }, async (remote) => {
        const { terminal, auth } = remote
        const address = email ?? (await ask(context, { question: 'Email: ' }))
        const password = await readPassword(context, { ...options, repeat: true })
        const { verificationRequired } = await auth.register({
          email: address,
          password,
          displayName: options.name ?? '',
        })
        const shown = clean(address)
        if (verificationRequired || !options.login) {
          const next = verificationRequired ? ' Next: plinth verify with the token in your mail, then plinth login' : ''
          const answer = { email: address, verificationRequired, loggedIn: false }
          return terminal.answer(answer, () => [`Account ${shown} is there.${next}`])
        }
        const login = await signIn(remote, { email: address, password })
        terminal.answer({ email: address, userId: login.userId, verificationRequired, loggedIn: true }, () => [
          `Account ${shown} is there, and you are logged in.`,
        ])
      }),
    )
}
