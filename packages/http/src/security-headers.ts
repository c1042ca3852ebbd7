/**
 * What every answer says to a browser about itself (OWASP secure headers). API answers may load nothing at all;
 * pages may load from their own origin only, without inline scripts.
 */
export interface SecurityHeaders {
  /** Name, value, name, value… as `ServerResponse.writeHead` takes them without copying. */
  readonly api: readonly string[]
  readonly page: readonly string[]
}

const apiPolicy = "default-src 'none'; frame-ancestors 'none'"
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const hstsMaxAgeS = 365 * 24 * 60 * 60

/** Makes the headers. HSTS goes out over TLS only: sent in clear, browsers must ignore it (RFC 6797, section 8.1). */
export function securityHeaders(options: { readonly overTls: boolean }): SecurityHeaders {
  const common = [
    'x-content-type-options',
    'nosniff',
    'referrer-policy',
    'no-referrer',
    'cross-origin-opener-policy',
    'same-origin',
    'cross-origin-resource-policy',
    'same-origin',
  ]
  if (options.overTls) common.push('strict-transport-security', `max-age=${hstsMaxAgeS}; includeSubDomains`)
  return {
    api: [...common, 'content-security-policy', apiPolicy],
    page: [...common, 'content-security-policy', pagePolicy],
  }
}
