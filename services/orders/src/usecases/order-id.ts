import { hash } from 'node:crypto'
import type { OnceKey } from './ports.ts'

/**
 * The id of the order that a command asks for: a UUIDv8 (RFC 9562, section 5.8) made of the command's idempotency. The
 * same command sent again, even at the same time or after a crash between the reservation and the order, asks for the
 * same order and thereby for the same stock.
 */
export function orderIdOf(once: OnceKey): string {
  const bytes = hash('sha256', `${once.scope}\0${once.key}\0${once.fingerprint}`, 'buffer')
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
