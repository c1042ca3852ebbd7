import assert from 'node:assert/strict'
import { it } from 'node:test'
import { securityHeaders } from './security-headers.ts'

it('securityHeaders() sends HSTS over TLS only, and lets pages load from their own origin without inline scripts', () => {
  const plain = securityHeaders({ overTls: false })
  const secure = securityHeaders({ overTls: true })
  assert.ok(!plain.api.includes('strict-transport-security'))
  assert.ok(secure.api.includes('strict-transport-security') && secure.page.includes('strict-transport-security'))
  const policy = plain.page[plain.page.indexOf('content-security-policy') + 1] ?? ''
  assert.match(policy, /script-src 'self';/)
  assert.doesNotMatch(policy, /unsafe|https?:|\*/)
})
