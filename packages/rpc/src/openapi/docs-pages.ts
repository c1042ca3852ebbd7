import { type ErrorKind, errorKinds } from '@plinth/base'
import { httpErrors } from '@plinth/http'

/** One code that a problem document may carry. */
export interface ErrorCodeEntry {
  readonly code: string
  readonly kind: ErrorKind
  /** When it is answered, in one sentence. */
  readonly when: string
}

/** The page that shows the API reference; its script comes from the same server, since the policy allows no other. */
export function referencePage(title: string, assets: string): string {
  return page(title, {
    head: `<link rel="stylesheet" href="${assets}/swagger-ui.css"><link rel="icon" href="${assets}/favicon-32x32.png">`,
    body: `<div id="swagger-ui"></div><script src="${assets}/swagger-ui-bundle.js"></script><script src="/docs/reference.js"></script>`,
  })
}

/** Starts the reference. No validator badge: it would ask a stranger's server. */
export const referenceScript = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
})
`

/** The codes of the HTTP edge itself, which every API has. */
export function edgeErrorCodes(): readonly ErrorCodeEntry[] {
  return Object.entries(httpErrors).map(([code, { kind, title, status }]) => ({
    code,
    kind,
    when: `${title} (${status})`,
  }))
}

/** All codes, and what each kind means on every transport. */
export function errorsPage(codes: readonly ErrorCodeEntry[]): string {
  const rows = codes.map(
    ({ code, kind, when }) =>
      `<tr><td><a href="/docs/errors/${encodeURIComponent(code)}"><code>${escapeHtml(code)}</code></a></td><td>${kind}</td><td>${escapeHtml(when)}</td></tr>`,
  )
  const kinds = Object.entries(errorKinds).map(
    ([kind, facts]) =>
      `<tr><td>${kind}</td><td>${facts.http}</td><td>${facts.grpc}</td><td>${facts.exit}</td><td>${facts.retryable ? 'yes' : 'no'}</td></tr>`,
  )
  return page('Errors', {
    head: '',
    body: `<h1>Errors</h1>
<p>Every error is a problem document (RFC 9457). <code>code</code> is stable and for programs; its kind says what it is
on each transport.</p>
<table><thead><tr><th>Code</th><th>Kind</th><th>When</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>
<h2>Kinds</h2>
<table><thead><tr><th>Kind</th><th>HTTP</th><th>gRPC</th><th>CLI exit</th><th>Retryable</th></tr></thead>
<tbody>${kinds.join('\n')}</tbody></table>`,
  })
}

/** The page a problem's `type` leads to. */
export function errorPage({ code, kind, when }: ErrorCodeEntry): string {
  const facts = errorKinds[kind]
  return page(code, {
    head: '',
    body: `<h1><code>${escapeHtml(code)}</code></h1><p>${escapeHtml(when)}</p>
<p>Kind ${kind}: HTTP ${facts.http} unless the code has a finer status, gRPC ${facts.grpc}. Repeating the same request
${facts.retryable ? 'may help' : 'does not help'}.</p><p><a href="/docs/errors">All codes</a></p>`,
  })
}

function page(title: string, parts: { readonly head: string; readonly body: string }): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">${parts.head}</head><body>${parts.body}</body></html>`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] as string)
}
