import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Ids } from '@plinth/base'
import type { Mail, Mailer } from '../usecases/ports.ts'

export interface EmlMailerOptions {
  /** Where the mails go; made when missing, for the owner's eyes only. */
  readonly folder: string
  /** The newest so many stay. @default 1000 */
  readonly mailsMax?: number
  /** @default 'Plinth <no-reply@plinth.localhost>' */
  readonly from?: string
}

const namePattern = /^\d{4}-\d\d-\d\dT[\d-]+Z-[0-9a-f-]{36}\.eml$/

/**
 * Delivers mail into a folder, one `.eml` file each (RFC 5322), readable by the owner alone: for development and for
 * houses without a mail server. Every mail program opens them. The oldest go when there are too many.
 */
export function createEmlMailer(
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
  { folder, mailsMax = 1000, from = 'Plinth <no-reply@plinth.localhost>' }: EmlMailerOptions,
): Mailer {
  if (!(Number.isInteger(mailsMax) && mailsMax >= 1)) {
    throw new RangeError(`Cannot keep ${mailsMax} mails: mailsMax is an integer >= 1`)
  }
  return {
    async send(mail) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const id = ids.next()
      const sentAt = new Date(clock.nowMs())
      const name = `${sentAt.toISOString().replaceAll(/[:.]/g, '-')}-${id}.eml`
      // Under its final name only when complete: whoever watches the folder never reads half a mail.
      const draft = join(folder, `.${id}.draft`)
      try {
        await using file = await open(draft, 'wx', 0o600)
        await file.writeFile(formatMail(mail, { from, id, sentAt }))
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
      await rename(draft, join(folder, name))
      const mails = (await readdir(folder)).filter((file) => namePattern.test(file)).sort()
      for (const old of mails.slice(0, -mailsMax)) await rm(join(folder, old), { force: true })
    },
  }
}

function formatMail(
  { to, subject, text }: Mail,
  { from, id, sentAt }: { readonly from: string; readonly id: string; readonly sentAt: Date },
): string {
  const headers = [
    `From: ${from}`,
    `To: <${to}>`,
    `Subject: ${subject}`,
    `Date: ${sentAt.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@plinth.localhost>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    'Auto-Submitted: auto-generated',
  ]
  return `${headers.join('\r\n')}\r\n\r\n${text.reveal().replaceAll(/\r?\n/g, '\r\n')}`
}
