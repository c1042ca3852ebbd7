import { PlatformError } from '@plinth/base'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { withRemote } from './remote/remote.ts'

/** `plinth logout`: the session ends on the server, and its tokens are forgotten whatever the server says. */
export function addLogoutCommand(program: Command, context: CommandContext): void {
  program
    .command('logout')
    .description('end the session and forget its tokens')
    .action((_, command: Command) =>
      withRemote({ command, context }, async ({ session, auth, terminal, server }) => {
        const login = await session.login()
        await session.forget()
        if (login) await auth.logout({ refreshToken: login.refreshToken }).catch(ignoreEnded)
        terminal.answer({ loggedOut: login !== undefined, server }, () => [
          login ? `Logged out of ${server}.` : `Nobody was logged in at ${server}.`,
        ])
      }),
    )
}

/** A session that has ended already is what was wanted. */
function ignoreEnded(error: unknown): void {
  if (!PlatformError.is(error) || error.kind !== 'unauthenticated') throw error
}
