import { errorKinds, type PlatformError } from '@plinth/base'
import { exitCodes } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'
import { clean, duration } from './text.ts'

/** Tells what went wrong and what to do next, and answers the exit code. */
export function reportFault(fault: PlatformError, terminal: Terminal): number {
  const { kind, code, message, retryable, details } = fault
  const exitCode = kind === 'internal' && code === 'base.internal' ? exitCodes.crash : errorKinds[kind].exit
  const next = nextStep(fault)
  if (terminal.json) {
    const error = { kind, code, message, retryable, details, ...(next && { next }), exit_code: exitCode }
    terminal.complain(JSON.stringify({ error }, null, 2))
    return exitCode
  }
  const { red, dim, bold } = terminal.noteStyle
  terminal.complain(`${red('error')} ${cleanLines(message)} ${dim(`(${clean(code)})`)}`)
  for (const { field, message: why } of details.violations ?? []) {
    terminal.complain(`  ${field === '' ? '' : `${clean(field)}: `}${clean(why)}`)
  }
  if (next !== undefined) terminal.complain(`${bold('next')}  ${next}`)
  // What nobody foresaw is for whoever mends it: the stack and its causes.
  if (exitCode === exitCodes.crash && fault.cause !== undefined) terminal.complain(stackOf(fault.cause))
  return exitCode
}

function cleanLines(text: string): string {
  return text.split('\n').map(clean).join('\n')
}

function stackOf(cause: unknown): string {
  return Error.isError(cause) ? String(cause.stack) : String(cause)
}

const steps: ReadonlyMap<string, string> = new Map([
  ['plinth.server_unreachable', 'start the shop with "plinth up", or name another with --server host:port'],
  ['plinth.not_logged_in', 'plinth login, or plinth register for a new account'],
  ['plinth.login_expired', 'plinth login'],
  ['plinth.mail_missing', 'say --data FOLDER of the shop, or give the token from the mail itself'],
  ['identity.email_unverified', 'plinth verify with the token in your mail'],
  ['plinth.operator_file_missing', 'say --data FOLDER of the shop, or log in with: plinth login EMAIL'],
  [
    'plinth.port_taken',
    'stop what runs there, or take others: plinth up --http-port 8081 --grpc-port 9191 --admin-port 9192',
  ],
  ['messaging.folder_locked', 'plinth status shows whether a shop runs; another folder is taken with --data FOLDER'],
  ['kernel.config_invalid', 'plinth config explain shows every key with its bounds and where its value comes from'],
  ['plinth.contract_not_generated', 'npm install, then npm run contracts'],
  ['rpc.payload_too_large', 'send less at once'],
])

/** What a person can do about a fault, when there is something. */
function nextStep({ kind, code, retryAfterMs }: PlatformError): string | undefined {
  const known = steps.get(code)
  if (known !== undefined) return known
  if (kind === 'unauthenticated' && !code.startsWith('identity.')) return 'plinth login'
  if (kind === 'forbidden') return 'plinth whoami shows your roles; plinth login --operator on the machine of the shop'
  if (kind === 'timeout') return 'give it more time with --timeout 60s, and look at plinth status'
  if (kind === 'unavailable') return 'plinth status; then run the same command again'
  if (kind === 'stale') return 'read it again: somebody changed it meanwhile'
  if (kind === 'exhausted' && retryAfterMs !== undefined)
    return `try again in ${duration(Math.max(1000, retryAfterMs))}`
  if (kind === 'conflict') return 'run the same command again'
  return undefined
}
