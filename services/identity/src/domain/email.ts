import type { Brand } from '@plinth/base'

/** An address of mail in the one form in which it is stored and compared. */
export type Email = Brand<string, 'Email'>

export interface EmailRefusal {
  readonly refused: 'email_invalid'
}

const charsMax = 254
const localCharsMax = 64
// What is on the left is the receiver's business (RFC 5321, section 4.1.2), but nothing that could end a header or
// start a list of recipients.
const localPattern = /^[^\s@<>()[\]\\,;:"\p{Cc}\p{Cf}]+$/u
const domainPattern =
  /^(?=.{1,253}$)(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)*[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u

/**
 * Brings an address to its one form: trimmed, in normal form C, in lower case. RFC 5321 lets the part before the @
 * be case-sensitive, but no provider of note does that, and two accounts that differ only in case are a trap.
 */
export function normalizeEmail(text: string): Email | EmailRefusal {
  const email = text.trim().normalize('NFC').toLowerCase()
  const at = email.lastIndexOf('@')
  const local = email.slice(0, Math.max(at, 0))
  const domain = email.slice(at + 1)
  const isValid =
    email.length <= charsMax && local.length <= localCharsMax && localPattern.test(local) && domainPattern.test(domain)
  return isValid ? (email as Email) : { refused: 'email_invalid' }
}
