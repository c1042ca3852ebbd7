import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type HttpServer, httpError } from '@plinth/http'
import reference from 'swagger-ui-dist/package.json' with { type: 'json' }
import type { Dispatcher } from '../dispatch.ts'
import { createPostmanCollection } from '../postman/postman-collection.ts'
import { isNotModified } from '../rest/rest-headers.ts'
import { callErrorCodes } from './call-error-codes.ts'
import {
  type ErrorCodeEntry,
  edgeErrorCodes,
  errorPage,
  errorsPage,
  referencePage,
  referenceScript,
} from './docs-pages.ts'
import { type ApiInfo, createOpenApi } from './open-api.ts'

/** What the documents of an API say besides its contracts. */
export interface ApiDocsOptions extends ApiInfo {
  /** Codes of the services served, for `/docs/errors`; those of the HTTP edge and of calls are always there. @default none */
  readonly errorCodes?: readonly ErrorCodeEntry[]
  /** What `baseUrl` is in the Postman collection. @default 'http://127.0.0.1:8080' */
  readonly baseUrl?: string
}

const assetTypes: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
}

/**
 * Serves the documents of an API beside it: `/openapi.json`, `/postman.json`, the reference at `/docs` and the error
 * codes at `/docs/errors`. Everything comes from this server, under a policy without inline scripts; a document is
 * made when it is first asked for, so that it costs no start anything, and has an ETag; the reference's assets may be
 * cached for good, since their path has their version.
 */
export function mountApiDocs(server: HttpServer, dispatcher: Dispatcher, options: ApiDocsOptions): void {
  const { fastify } = server
  const codes = [...edgeErrorCodes(), ...callErrorCodes, ...(options.errorCodes ?? [])].sort((a, b) =>
    a.code < b.code ? -1 : 1,
  )
  const byCode = new Map(codes.map((entry) => [entry.code, entry]))
  const folder = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
  const assets = `/docs/assets/${reference.version}`

  serveDocument(server, '/openapi.json', {
    type: 'application/json',
    make: () => JSON.stringify(createOpenApi(dispatcher, options)),
  })
  serveDocument(server, '/postman.json', {
    type: 'application/json',
    make: () => JSON.stringify(createPostmanCollection(dispatcher, { baseUrl: 'http://127.0.0.1:8080', ...options })),
  })
  const html = 'text/html; charset=utf-8'
  serveDocument(server, '/docs', { type: html, make: () => referencePage(options.title, assets) })
  serveDocument(server, '/docs/reference.js', {
    type: 'text/javascript; charset=utf-8',
    make: () => referenceScript,
  })
  serveDocument(server, '/docs/errors', { type: html, make: () => errorsPage(codes) })
  fastify.get<{ Params: { code: string } }>('/docs/errors/:code', async (request, reply) => {
    const entry = byCode.get(request.params.code)
    if (!entry) throw httpError('http.not_found', 'No such error code is known here')
    return reply.type(html).send(errorPage(entry))
  })

  const loaded = new Map<string, Promise<Buffer>>()
  for (const [name, type] of Object.entries(assetTypes)) {
    fastify.get(`${assets}/${name}`, async (_request, reply) => {
      // Read when first asked for: most servers never are.
      const bytes = await loaded.getOrInsertComputed(name, () => readFile(join(folder, name)))
      return reply.type(type).header('cache-control', 'public, max-age=31536000, immutable').send(bytes)
    })
  }
}

function serveDocument(
  server: HttpServer,
  path: string,
  { type, make }: { readonly type: string; readonly make: () => string },
) {
  let made: { readonly text: string; readonly etag: string } | undefined
  server.fastify.get(path, (request, reply) => {
    if (!made) {
      const text = make()
      made = { text, etag: createHash('sha256').update(text).digest('base64url').slice(0, 22) }
    }
    reply.header('etag', `"${made.etag}"`).header('cache-control', 'no-cache')
    if (isNotModified(request.headers, made.etag)) reply.code(304).send()
    else reply.type(type).send(made.text)
  })
}
