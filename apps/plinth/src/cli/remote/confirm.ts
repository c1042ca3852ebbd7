import { PlatformError } from '@plinth/base'
import type { CommandContext } from '../command-context.ts'
import { ask } from './password.ts'

/**
 * Asks before what cannot be undone. Without a terminal only `--yes` will do.
 *
 * @throws PlatformError `plinth.not_confirmed` (precondition) when the answer is no.
 */
export async function confirm(
  context: CommandContext,
  { question, yes }: { readonly question: string; readonly yes?: boolean | undefined },
): Promise<void> {
  if (yes) return
  const answer = context.stdin.isTTY ? await ask(context, { question: `${question} [y/N] ` }) : ''
  if (/^y(es)?$/i.test(answer.trim())) return
  throw new PlatformError('Nothing was changed: it was not confirmed; say yes, or give --yes', {
    kind: 'precondition',
    code: 'plinth.not_confirmed',
  })
}
