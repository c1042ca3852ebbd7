import { createHash } from 'node:crypto'
import type { Email } from '../domain/email.ts'

/** Throttles are kept by digest: whoever reads the table learns no address of a person without an account. */
export function accountKey(email: Email | string): string {
  return `account:${digest(email)}`
}

export function mailKey(email: Email): string {
  return `mail:${digest(email)}`
}

/** Undefined for callers inside the process, who have no address of their own. */
export function addressKey(address: string): string | undefined {
  return address === '' ? undefined : `address:${digest(address)}`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
