import type { DescMessage } from '@bufbuild/protobuf'
import type { Dispatcher } from '../dispatch.ts'
import { isHttpBody } from '../rest/http-rules.ts'
import { describeRoutes, type RouteDescription } from './describe-route.ts'
import { exampleOf, fieldExample } from './example.ts'
import { boundsOf } from './field-bounds.ts'
import { type ContractComments, type JsonSchema, SchemaWriter } from './json-schema.ts'

/** How an API presents itself. */
export interface ApiInfo {
  readonly title: string
  readonly version: string
  /** Markdown. */
  readonly description?: string
  /** The comments of every contract served. @default none */
  readonly comments?: readonly ContractComments[]
}

const openApiMethods = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE'])

/**
 * The OpenAPI 3.1 document of everything a dispatcher serves over REST: paths from `google.api.http`, schemas from
 * messages with the bounds of `buf.validate`, texts from the contracts' comments. Methods that only a contract names
 * (`PURGE`) stand under `x-` names, for OpenAPI 3.1 has no room for them.
 */
export function createOpenApi(dispatcher: Dispatcher, info: ApiInfo): JsonSchema {
  const schemas = new SchemaWriter(Object.assign({}, ...(info.comments ?? [])))
  const paths: Record<string, Record<string, unknown>> = {}
  const services = new Map<string, string | undefined>()
  for (const route of describeRoutes(dispatcher).map(renameParameters())) {
    services.set(route.bound.method.parent.name, schemas.comment(route.service))
    const { httpMethod } = route.rule
    const key = openApiMethods.has(httpMethod) ? httpMethod.toLowerCase() : `x-${httpMethod.toLowerCase()}`
    paths[route.path] = { ...paths[route.path], [key]: operation(route, schemas) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: info.title,
      version: info.version,
      ...(info.description === undefined ? {} : { description: info.description }),
    },
    servers: [{ url: '/' }],
    tags: [...services].map(([name, description]) => ({ name, ...(description === undefined ? {} : { description }) })),
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: { ...schemas.components, ...problemSchemas },
      responses: { Problem: problemResponse },
      parameters: headerParameters,
      headers: { ETag: { description: 'Version of the resource.', schema: { type: 'string' } } },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

/**
 * Paths that differ only in the names of their variables are one path to OpenAPI: the first name given to a place
 * holds for all.
 */
function renameParameters(): (route: RouteDescription) => RouteDescription {
  const first = new Map<string, RouteDescription>()
  return (route) => {
    const shape = route.path.replaceAll(/\{[^}]+\}/g, '{}')
    const { path, pathParameters } = first.getOrInsert(shape, route)
    const renamed = route.pathParameters.map((own, at) => ({ ...own, name: pathParameters[at]?.name ?? own.name }))
    return { ...route, path, pathParameters: renamed }
  }
}

function operation(route: RouteDescription, schemas: SchemaWriter): JsonSchema {
  const { method } = route.bound
  const comment = schemas.comment(`${route.service}.${method.name}`)
  const summary = comment?.split(/(?<=\.)\s/)[0] ?? method.name
  return {
    operationId: route.id,
    tags: [method.parent.name],
    summary: summary.replaceAll('\n', ' ').replace(/\.$/, ''),
    ...(comment === undefined ? {} : { description: comment }),
    ...(method.proto.options?.deprecated ? { deprecated: true } : {}),
    ...(route.anonymous ? { security: [] } : {}),
    parameters: parameters(route, schemas),
    ...requestBody(route, schemas),
    responses: { '200': success(route, schemas), default: { $ref: '#/components/responses/Problem' } },
  }
}

function parameters(route: RouteDescription, schemas: SchemaWriter): JsonSchema[] {
  const list: JsonSchema[] = route.pathParameters.map(({ name, field, partial }) => ({
    name,
    in: 'path',
    required: true,
    schema: partial ? { type: 'string' } : schemas.field(field),
    ...(partial ? {} : { example: fieldExample(field) }),
  }))
  for (const { name, field } of route.queryParameters) {
    const { description, ...schema } = schemas.field(field)
    list.push({
      name,
      in: 'query',
      ...(description === undefined ? {} : { description }),
      ...(boundsOf(field).required ? { required: true } : {}),
      schema,
    })
  }
  if (route.idempotencyKey !== 'none') {
    const name = route.idempotencyKey === 'required' ? 'IdempotencyKeyRequired' : 'IdempotencyKey'
    list.push({ $ref: `#/components/parameters/${name}` })
  }
  if (route.takesIfMatch) list.push({ $ref: '#/components/parameters/IfMatch' })
  if (route.givesEtag && route.rule.httpMethod === 'GET') list.push({ $ref: '#/components/parameters/IfNoneMatch' })
  list.push({ $ref: '#/components/parameters/TimeoutMs' })
  return list
}

function requestBody(route: RouteDescription, schemas: SchemaWriter): JsonSchema {
  const { body, method } = route.rule
  if (body.kind === 'none') return {}
  const desc = body.kind === 'field' ? body.field.message : method.input
  if (isHttpBody(desc)) return { requestBody: { content: { '*/*': {} } } }
  if (body.kind === 'field') {
    const content = { schema: schemas.field(body.field), example: fieldExample(body.field) }
    return { requestBody: { content: { 'application/json': content } } }
  }
  const bound = new Set(route.pathParameters.map(({ field }) => field.jsonName))
  const schema = bound.size === 0 ? schemas.reference(method.input) : schemas.message(method.input, bound)
  return { requestBody: { content: { 'application/json': { schema, example: exampleOf(method.input, bound) } } } }
}

function success(route: RouteDescription, schemas: SchemaWriter): JsonSchema {
  const { responseField, method } = route.rule
  const desc: DescMessage | undefined = responseField ? responseField.message : method.output
  const headers = route.givesEtag ? { headers: { ETag: { $ref: '#/components/headers/ETag' } } } : {}
  if (isHttpBody(desc)) return { description: 'Raw bytes of any media type.', content: { '*/*': {} } }
  const schema = responseField ? schemas.field(responseField) : schemas.reference(method.output)
  if (route.streams) {
    return {
      description: 'Messages until the stream ends, one a line, or as server-sent events to those who accept them.',
      content: { 'application/x-ndjson': { schema }, 'text/event-stream': { schema: { type: 'string' } } },
    }
  }
  const example = responseField ? fieldExample(responseField) : exampleOf(method.output)
  return { description: 'The answer.', ...headers, content: { 'application/json': { schema, example } } }
}

const header = (name: string, schema: JsonSchema, description: string) => ({ name, in: 'header', description, schema })
const keySchema = { type: 'string', minLength: 1, maxLength: 255 }
const keyText = 'Repeating a command with the same key has the effect of once, and the first answer is given again.'

const headerParameters = {
  IdempotencyKey: header('idempotency-key', keySchema, keyText),
  IdempotencyKeyRequired: { ...header('idempotency-key', keySchema, keyText), required: true },
  IfMatch: header('if-match', { type: 'string' }, 'Version the change is for; refused with 412 when it has changed.'),
  IfNoneMatch: header(
    'if-none-match',
    { type: 'string' },
    'Versions already held; answered with 304 when still right.',
  ),
  TimeoutMs: header(
    'x-timeout-ms',
    { type: 'integer', minimum: 1, maximum: 86_400_000 },
    'How long the caller waits; then the call ends everywhere.',
  ),
}

const problemSchemas = {
  Problem: {
    type: 'object',
    description: 'A problem document (RFC 9457).',
    required: ['type', 'title', 'status', 'detail', 'code', 'retryable'],
    properties: {
      type: { type: 'string', format: 'uri-reference', description: 'Page that explains the code.' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      instance: { type: 'string', description: 'The request id.' },
      code: { type: 'string', description: 'Stable, for programs to switch on.' },
      retryable: { type: 'boolean', description: 'Whether the same request may succeed later.' },
      violations: { type: 'array', items: { $ref: '#/components/schemas/Violation' } },
      details: { type: 'object' },
    },
  },
  Violation: {
    type: 'object',
    description: 'One broken field of a request.',
    required: ['field', 'rule', 'message'],
    properties: {
      field: { type: 'string', description: 'Path in JSON names: `lines[0].quantity`.' },
      rule: { type: 'string' },
      message: { type: 'string' },
    },
  },
}

const problemResponse = {
  description: 'Why the request was refused or failed.',
  content: {
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      example: {
        type: '/docs/errors/rpc.invalid_request',
        title: 'Invalid request',
        status: 400,
        detail: 'Cannot call the method: quantity must be greater than 0',
        instance: 'urn:request:01890a5d-ac96-774b-bcce-b302099a8057',
        code: 'rpc.invalid_request',
        retryable: false,
        violations: [{ field: 'quantity', rule: 'int32.gt', message: 'must be greater than 0' }],
      },
    },
  },
}
