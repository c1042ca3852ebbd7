import { isUuid, PlatformError } from '@plinth/base'
import { type User, UserSchema, UsersService } from '@plinth/identity-service/contract'
import { Argument, type Command, Option } from 'commander'
import { moreLine } from './catalog-browse.ts'
import type { CommandContext } from './command-context.ts'
import { toInteger } from './globals.ts'
import { messageJson } from './remote/message.ts'
import { readPages } from './remote/pages.ts'
import { type Remote, withRemote } from './remote/remote.ts'
import type { Terminal } from './terminal.ts'
import { clean, time } from './text.ts'

const roles = ['customer', 'operator']

interface ListOptions {
  readonly role?: string
  readonly email?: string
  readonly limit: number
  readonly pageToken?: string
}

/** `plinth users`. */
export function addUsersCommand(program: Command, context: CommandContext): void {
  const users = program.command('users').description('list accounts, set their roles, unlock them')
  users
    .command('list')
    .description('list accounts')
    .addOption(new Option('--role <role>', 'with this role').choices(roles))
    .option('--email <prefix>', 'whose address begins so')
    .option('-n, --limit <count>', 'how many at most', toInteger({ min: 1, max: 10_000 }), 20)
    .option('--page-token <token>', 'go on where an earlier list ended')
    .action((options: ListOptions, command: Command) =>
      withRemote({ command, context }, (remote) => list(remote, options)),
    )
  const one = (name: string, description: string) =>
    users.command(name).description(description).argument('<user>', 'id or address of mail')
  one('get', 'show an account').action((name: string, _, command: Command) =>
    withRemote({ command, context }, async (remote) => answerUser(remote.terminal, await find(remote, name))),
  )
  one('roles', 'set the roles of an account')
    .addArgument(new Argument('<roles...>', 'all it shall have').choices(roles))
    .action((name: string, next: readonly string[], _, command: Command) =>
      withRemote({ command, context }, async (remote) => {
        const { id } = await find(remote, name)
        answerUser(remote.terminal, await remote.client(UsersService).setRoles({ userId: id, roles: [...next] }))
      }),
    )
  one('unlock', 'let an account log in again after too many wrong passwords').action(
    (name: string, _, command: Command) =>
      withRemote({ command, context }, async (remote) => {
        const { id } = await find(remote, name)
        answerUser(remote.terminal, await remote.client(UsersService).unlockUser({ userId: id }))
      }),
  )
}

async function list({ client, terminal }: Remote, options: ListOptions): Promise<void> {
  const { role = '', email: emailPrefix = '' } = options
  const page = await readPages(options, async (range) => {
    const answer = await client(UsersService).listUsers({ ...range, role, emailPrefix })
    return { items: answer.users, nextPageToken: answer.nextPageToken }
  })
  terminal.answer(
    { users: page.items.map((user) => messageJson(UserSchema, user)), nextPageToken: page.nextPageToken },
    () => [
      ...terminal.columns([
        ['ID', 'ROLES', 'VERIFIED', 'SINCE', 'EMAIL'],
        ...page.items.map((user) => [
          user.id,
          user.roles.join(', '),
          user.emailVerified ? 'yes' : 'no',
          time(user.createdAt),
          clean(user.email),
        ]),
      ]),
      ...moreLine(terminal.style.dim, page.nextPageToken),
    ],
    () => page.items.map(({ id }) => id),
  )
}

async function find({ client }: Remote, name: string): Promise<User> {
  if (isUuid(name)) return await client(UsersService).getUser({ userId: name })
  const { users } = await client(UsersService).listUsers({ emailPrefix: name, pageSize: 10 })
  const found = users.find(({ email }) => email.toLowerCase() === name.toLowerCase())
  if (found) return found
  throw new PlatformError(`Cannot find an account with the address or id "${clean(name).slice(0, 100)}"`, {
    kind: 'not_found',
    code: 'plinth.user_unknown',
  })
}

function answerUser(terminal: Terminal, user: User): void {
  const { bold, dim } = terminal.style
  terminal.answer(
    messageJson(UserSchema, user),
    () => [
      `${bold(clean(user.email))}  ${user.roles.join(', ')}`,
      `  ${dim('name    ')} ${clean(user.displayName) || '-'}`,
      `  ${dim('verified')} ${user.emailVerified ? 'yes' : 'no'}`,
      `  ${dim('since   ')} ${time(user.createdAt)}`,
      `  ${dim('id      ')} ${user.id}`,
    ],
    () => [user.id],
  )
}
