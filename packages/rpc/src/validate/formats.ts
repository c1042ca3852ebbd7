import { isIPv4, isIPv6 } from 'node:net'

const email =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/
const label = /^(?!-)[a-zA-Z0-9-]{1,63}(?<!-)$/
const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/
const tuuid = /^[0-9a-fA-F]{32}$/

/** The HTML standard's definition (4.10.5.1.5), which is what browsers accept. */
export function isEmail(text: string): boolean {
  return email.test(text)
}

/** RFC 1034 labels of at most 63 characters, 253 in all; a trailing dot is allowed, a numeric last label is not. */
export function isHostname(text: string): boolean {
  if (text.length > 253) return false
  const labels = (text.endsWith('.') ? text.slice(0, -1) : text).split('.')
  return labels.every((part) => label.test(part)) && !/^\d+$/.test(labels.at(-1) as string)
}

export function isIp(text: string): boolean {
  return isIpV4(text) || isIpV6(text)
}

export function isIpV4(text: string): boolean {
  return isIPv4(text)
}

/** RFC 4291 text, with a zone (RFC 4007) of any characters. */
export function isIpV6(text: string): boolean {
  const zone = text.indexOf('%')
  if (zone < 0) return isIPv6(text)
  return zone < text.length - 1 && isIPv6(text.slice(0, zone))
}

export function isUuidText(text: string): boolean {
  return uuid.test(text)
}

/** A UUID without its hyphens. */
export function isTrimmedUuid(text: string): boolean {
  return tuuid.test(text)
}

export function isAddress(text: string): boolean {
  return isHostname(text) || isIp(text)
}

// RFC 3986, appendix A. Every alternative starts with a character of its own, so matching takes linear time.
const escaped = '%[0-9A-Fa-f]{2}'
const unreserved = "A-Za-z0-9\\-._~!$&'()*+,;="
const segment = `(?:[${unreserved}:@]|${escaped})`
const userinfo = `(?:[${unreserved}:]|${escaped})*`
const authority = `(?:${userinfo}@)?(\\[[^\\]]*\\]|(?:[${unreserved}]|${escaped})*)(?::\\d*)?`
const tail = `(?:\\?(?:${segment}|[/?])*)?(?:#(?:${segment}|[/?])*)?$`
const rooted = `/(?:${segment}+(?:/${segment}*)*)?`
const absolute = new RegExp(
  `^[A-Za-z][A-Za-z0-9+.-]*:(?://${authority}(?:/${segment}*)*|${rooted}|${segment}+(?:/${segment}*)*|)${tail}`,
)
const noScheme = `(?:[${unreserved}@]|${escaped})+(?:/${segment}*)*`
const relative = new RegExp(`^(?://${authority}(?:/${segment}*)*|${rooted}|${noScheme}|)${tail}`)

/** An absolute URI (RFC 3986, section 4.3, with an optional fragment). */
export function isUri(text: string): boolean {
  const match = absolute.exec(text)
  return match !== null && isUriHost(match[1])
}

/** A URI or a relative reference (RFC 3986, section 4.1). */
export function isUriReference(text: string): boolean {
  if (isUri(text)) return true
  const match = relative.exec(text)
  return match !== null && isUriHost(match[1])
}

const futureAddress = /^v[0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+$/
const zone = new RegExp(`^(?:[A-Za-z0-9\\-._~]|${escaped})+$`)

function isUriHost(host: string | undefined): boolean {
  if (host === undefined) return true
  if (host.startsWith('[')) {
    const inner = host.slice(1, -1)
    const at = inner.indexOf('%25')
    if (at >= 0) return isIPv6(inner.slice(0, at)) && zone.test(inner.slice(at + 3)) && decodes(inner)
    return (!inner.includes('%') && isIPv6(inner)) || futureAddress.test(inner)
  }
  return decodes(host)
}

/** Escapes in a host stand for UTF-8 (RFC 3986, section 3.2.2). */
function decodes(host: string): boolean {
  if (!host.includes('%')) return true
  try {
    decodeURIComponent(host)
    return true
  } catch {
    return false
  }
}
