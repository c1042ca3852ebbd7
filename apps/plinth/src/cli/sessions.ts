import { AuthService } from '@plinth/identity-service/contract'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { messageJson } from './remote/message.ts'
import { withRemote } from './remote/remote.ts'
import { clean, time } from './text.ts'

const { listSessions, revokeSession, revokeSessions } = AuthService.method

/** `plinth sessions`. */
export function addSessionsCommand(program: Command, context: CommandContext): void {
  const sessions = program.command('sessions').description('list and revoke your sessions')
  sessions
    .command('list')
    .description('list where you are logged in')
    .action((_, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal }) => {
        const answer = await client(AuthService).listSessions({})
        terminal.answer(
          messageJson(listSessions.output, answer),
          () =>
            terminal.columns([
              ['ID', '', 'DEVICE', 'ADDRESS', 'LAST USED', 'UNTIL'],
              ...answer.sessions.map((each) => [
                each.id,
                each.current ? '*' : '',
                clean(each.deviceName || each.userAgent) || '-',
                clean(each.address) || '-',
                time(each.lastUsedAt),
                time(each.expiresAt),
              ]),
            ]),
          () => answer.sessions.map(({ id }) => id),
        )
      }),
    )
  sessions
    .command('revoke')
    .description('end a session, or with --others all but this one')
    .argument('[session]', 'its id')
    .option('--others', 'all but this one')
    .option('--all', 'all, this one too')
    .action(async (id: string | undefined, options: { others?: boolean; all?: boolean }, command: Command) => {
      if ([id !== undefined, options.others, options.all].filter(Boolean).length !== 1) {
        command.error('error: say one of: a session, --others, --all', { exitCode: 2 })
      }
      await withRemote({ command, context }, async ({ client, terminal }) => {
        const auth = client(AuthService)
        if (id !== undefined) {
          const answer = await auth.revokeSession({ sessionId: id })
          return terminal.answer(messageJson(revokeSession.output, answer), () => ['The session is over.'])
        }
        const answer = await auth.revokeSessions({ keepCurrent: options.others === true })
        terminal.answer(messageJson(revokeSessions.output, answer), () => [`${answer.revoked} sessions are over.`])
      })
    })
}
