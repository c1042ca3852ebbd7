import { hash, timingSafeEqual } from 'node:crypto'

/**
 * Whether two strings are equal, in time that depends on their lengths alone. For comparing secrets.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { equalInConstantTime } from '@plinth/security'
 *
 * assert.equal(equalInConstantTime('secret', 'secret'), true)
 * assert.equal(equalInConstantTime('secret', 'secret '), false)
 * ```
 */
export function equalInConstantTime(a: string, b: string): boolean {
  // Digests have one length, whatever was given; the comparison itself takes no shortcut.
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer')) && a.length === b.length
}
