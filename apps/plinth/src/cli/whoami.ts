import { UserSchema, UsersService } from '@plinth/identity-service/contract'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { messageJson } from './remote/message.ts'
import { withRemote } from './remote/remote.ts'
import { clean } from './text.ts'

/** `plinth whoami`. */
export function addWhoamiCommand(program: Command, context: CommandContext): void {
  program
    .command('whoami')
    .description('tell who is logged in')
    .action((_, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal, server }) => {
        const me = await client(UsersService).getMe({})
        terminal.answer(
          messageJson(UserSchema, me),
          () => [`${clean(me.email)} (${me.roles.join(', ')}) at ${server}`, terminal.style.dim(me.id)],
          () => [clean(me.email)],
        )
      }),
    )
}
