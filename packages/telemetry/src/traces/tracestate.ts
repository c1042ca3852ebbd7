/** One member of a `tracestate`: the vendor's key and its value. */
export type TraceStateEntry = readonly [key: string, value: string]

const simpleKey = /^[a-z][a-z0-9_\-*/]{0,255}$/
const tenantKey = /^[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}$/
const valueForm = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/
const membersMax = 32
const headerCharsMax = 8192
const propagatedCharsMax = 512
const longMemberChars = 128

/**
 * Reads a `tracestate` (W3C Trace Context level 1, section 3.3). One broken or repeated member voids the whole list,
 * which is then `undefined`; a `traceparent` beside it stays good.
 */
export function parseTracestate(header: string): TraceStateEntry[] | undefined {
  if (header.length > headerCharsMax) return undefined
  const entries = new Map<string, string>()
  for (const part of header.split(',')) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, '')
    // Empty members are allowed: proxies join headers.
    if (member === '') continue
    const at = member.indexOf('=')
    const key = member.slice(0, at)
    const value = member.slice(at + 1)
    if (at < 1 || !(simpleKey.test(key) || tenantKey.test(key)) || !valueForm.test(value)) return undefined
    if (entries.has(key) || entries.size === membersMax) return undefined
    entries.set(key, value)
  }
  return [...entries]
}

/**
 * Writes a `tracestate` of at most 512 characters: members longer than 128 go first, then those at the end, as the
 * recommendation asks of whoever must shorten. Empty if there are none.
 */
export function formatTracestate(entries: readonly TraceStateEntry[]): string {
  let members = entries.map(([key, value]) => `${key}=${value}`)
  if (members.join(',').length > propagatedCharsMax)
    members = members.filter((member) => member.length <= longMemberChars)
  while (members.join(',').length > propagatedCharsMax) members.pop()
  return members.join(',')
}
