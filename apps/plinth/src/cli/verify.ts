import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PlatformError } from '@plinth/base'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { withRemote } from './remote/remote.ts'
import { clean } from './text.ts'

/** Mails looked through for an address, newest first. */
const mailsMax = 1000

/** `plinth verify`: confirms an address by the token that was mailed to it. */
export function addVerifyCommand(program: Command, context: CommandContext): void {
  program
    .command('verify')
    .description('confirm your address with the token from your mail')
    .argument('<token>', 'the token; or the address, when the shop runs on this machine and keeps its mails as files')
    .option('--data <folder>', 'data folder of that shop', '.plinth')
    .action((word: string, options: { readonly data: string }, command: Command) =>
      withRemote({ command, context }, async ({ auth, terminal }) => {
        const token = word.includes('@') ? await tokenFromMail(join(options.data, 'mail'), word) : word
        await auth.verifyEmail({ token })
        terminal.answer({ verified: true }, () => ['The address is confirmed. Next: plinth login'])
      }),
    )
}

async function tokenFromMail(folder: string, email: string): Promise<string> {
  const files = await readdir(folder).catch(() => [])
  // Their names begin with the time.
  for (const file of files.sort().reverse().slice(0, mailsMax)) {
    const token = readToken(await readFile(join(folder, file), 'utf8'), email)
    if (token !== undefined) return token
  }
  throw new PlatformError(`Cannot find a mail to ${clean(email)} in ${folder}`, {
    kind: 'not_found',
    code: 'plinth.mail_missing',
  })
}

/** The token in a mail to `email`; undefined when it is to somebody else or holds none. */
export function readToken(mail: string, email: string): string | undefined {
  const [head = '', body = ''] = mail.split(/\r?\n\r?\n([\s\S]*)/, 2)
  const to = /^to:.*?<?([^\s<>]+@[^\s<>]+?)>?\s*$/im.exec(head)?.[1]
  if (to?.toLowerCase() !== email.toLowerCase()) return undefined
  return /^ev_[A-Za-z0-9_-]{20,100}$/m.exec(body)?.[0]
}
