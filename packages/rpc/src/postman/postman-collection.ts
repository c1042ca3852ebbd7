import type { Dispatcher } from '../dispatch.ts'
import { describeRoutes, type RouteDescription } from '../openapi/describe-route.ts'
import { exampleOf, fieldExample } from '../openapi/example.ts'
import type { JsonSchema } from '../openapi/json-schema.ts'
import type { ApiInfo } from '../openapi/open-api.ts'
import { isHttpBody } from '../rest/http-rules.ts'

/**
 * The Postman collection (format 2.1) of everything a dispatcher serves over REST: a folder for each service, the
 * variables `baseUrl` and `token`, example bodies, and a test for each request.
 */
export function createPostmanCollection(
  dispatcher: Dispatcher,
  info: ApiInfo & { readonly baseUrl: string },
): JsonSchema {
  const comments = Object.assign({}, ...(info.comments ?? [])) as Record<string, string>
  const variables = new Map<string, string>()
  const folders = new Map<string, { name: string; description: string; item: JsonSchema[] }>()
  for (const route of describeRoutes(dispatcher)) {
    const folder = folders.getOrInsertComputed(route.service, () => ({
      name: route.bound.method.parent.name,
      description: comments[route.service] ?? '',
      item: [],
    }))
    folder.item.push(item(route, { comments, variables }))
  }
  return {
    info: {
      name: info.title,
      description: info.description ?? '',
      version: info.version,
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{token}}', type: 'string' }] },
    variable: [
      { key: 'baseUrl', value: info.baseUrl },
      { key: 'token', value: '' },
      ...[...variables].map(([key, value]) => ({ key, value })),
    ],
    item: [...folders.values()],
  }
}

function item(
  route: RouteDescription,
  context: { readonly comments: Readonly<Record<string, string>>; readonly variables: Map<string, string> },
): JsonSchema {
  const { comments, variables } = context
  const { method } = route.bound
  return {
    name: `${method.name}${route.id.endsWith(method.name) ? '' : ` (${route.rule.template.text})`}`,
    request: {
      method: route.rule.httpMethod === '*' ? 'GET' : route.rule.httpMethod,
      description: comments[`${route.service}.${method.name}`] ?? '',
      ...(route.anonymous ? { auth: { type: 'noauth' } } : {}),
      header: headers(route),
      url: url(route, variables),
      ...body(route),
    },
    event: [{ listen: 'test', script: { type: 'text/javascript', exec: tests(route) } }],
  }
}

function headers(route: RouteDescription): JsonSchema[] {
  const list: JsonSchema[] = []
  if (route.rule.body.kind !== 'none') list.push({ key: 'content-type', value: 'application/json' })
  if (route.idempotencyKey !== 'none') list.push({ key: 'idempotency-key', value: '{{$guid}}' })
  if (route.takesIfMatch) list.push({ key: 'if-match', value: '"1"', disabled: true })
  return list
}

function url(route: RouteDescription, variables: Map<string, string>): JsonSchema {
  // Postman knows variables as whole segments (`:id`) and, anywhere, those of the collection; neither with dots.
  const nameOf = (name: string) => name.replaceAll('.', '_')
  const own: JsonSchema[] = []
  const path = route.path
    .slice(1)
    .split('/')
    .map((segment) =>
      segment.replaceAll(/\{([^}]+)\}/g, (whole, name: string) => {
        const field = route.pathParameters.find((parameter) => parameter.name === name)?.field
        const value = field ? textOf(fieldExample(field)) : ''
        if (whole === segment) own.push({ key: nameOf(name), value })
        else variables.set(nameOf(name), value)
        return whole === segment ? `:${nameOf(name)}` : `{{${nameOf(name)}}}`
      }),
    )
  const query = route.queryParameters.map(({ name, field }) => ({
    key: name,
    value: textOf(fieldExample(field)),
    disabled: true,
  }))
  return {
    raw: `{{baseUrl}}/${path.join('/')}`,
    host: ['{{baseUrl}}'],
    path,
    ...(query.length > 0 ? { query } : {}),
    variable: own,
  }
}

function textOf(example: unknown): string {
  const one = Array.isArray(example) ? example[0] : example
  return typeof one === 'object' ? '' : String(one ?? '')
}

function body(route: RouteDescription): JsonSchema {
  const rule = route.rule.body
  if (rule.kind === 'none') return {}
  const desc = rule.kind === 'field' ? rule.field.message : route.bound.method.input
  if (isHttpBody(desc)) return { body: { mode: 'raw', raw: '' } }
  const bound = new Set(route.pathParameters.map(({ field }) => field.jsonName))
  const example = rule.kind === 'field' ? fieldExample(rule.field) : exampleOf(route.bound.method.input, bound)
  return {
    body: { mode: 'raw', raw: JSON.stringify(example, undefined, 2), options: { raw: { language: 'json' } } },
  }
}

function tests(route: RouteDescription): readonly string[] {
  const type = route.streams ? 'application/x-ndjson' : 'application/json'
  const raw = isHttpBody(route.rule.responseField ? route.rule.responseField.message : route.bound.method.output)
  return [
    "pm.test('succeeds', () => pm.response.to.be.success)",
    "pm.test('has a request id', () => pm.response.to.have.header('x-request-id'))",
    ...(raw
      ? []
      : [`pm.test('is ${type}', () => pm.expect(pm.response.headers.get('content-type')).to.include('${type}'))`]),
  ]
}
