import type { DescField, DescMessage } from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'
import { IdempotencyKey } from '@plinth/rpc/contract'
import type { BoundMethod, Dispatcher } from '../dispatch.ts'
import { fieldPath } from '../rest/field-path.ts'
import { type RestRule, restRulesOf } from '../rest/http-rules.ts'
import { etagField } from '../rest/request-reader.ts'
import { textReader } from '../rest/text-reader.ts'

/** A variable of a path, as documents that know no globs have it. */
export interface PathParameter {
  readonly name: string
  readonly field: DescField
  /** Whether it is one piece of a value of several segments, or may itself hold slashes. */
  readonly partial: boolean
}

/** A field that goes into the query. */
export interface QueryParameter {
  /** `range.from` */
  readonly name: string
  readonly field: DescField
}

/** What both API documents say of one way to call a method. */
export interface RouteDescription {
  readonly bound: BoundMethod
  readonly rule: RestRule
  /** `ShelfService_GetBook`, numbered for additional bindings. */
  readonly id: string
  readonly service: string
  readonly anonymous: boolean
  readonly idempotencyKey: 'none' | 'optional' | 'required'
  /** `/v1/books/{bookId}` */
  readonly path: string
  readonly pathParameters: readonly PathParameter[]
  readonly queryParameters: readonly QueryParameter[]
  readonly takesIfMatch: boolean
  readonly givesEtag: boolean
  readonly streams: boolean
}

const queryDepthMax = 3

/** Every route of a dispatcher, in the order of services and methods. */
export function describeRoutes(dispatcher: Dispatcher): readonly RouteDescription[] {
  return [...dispatcher.methods.values()].flatMap((bound) =>
    restRulesOf(bound.method).map((rule, at) => describeRoute(bound, rule, at)),
  )
}

function describeRoute(bound: BoundMethod, rule: RestRule, at: number): RouteDescription {
  const { method, policy } = bound
  const { path, pathParameters } = describePath(rule)
  const bodyMessage = rule.body.kind === 'field' ? rule.body.field.message : undefined
  return {
    bound,
    rule,
    id: `${method.parent.name}_${method.name}${at === 0 ? '' : `_${at + 1}`}`,
    service: method.parent.typeName,
    anonymous: policy.access?.rule.case === 'anonymous',
    idempotencyKey:
      policy.idempotencyKey === IdempotencyKey.REQUIRED
        ? 'required'
        : policy.idempotencyKey === IdempotencyKey.OPTIONAL
          ? 'optional'
          : 'none',
    path,
    pathParameters,
    queryParameters: rule.body.kind === 'whole' ? [] : describeQuery(rule),
    takesIfMatch:
      rule.httpMethod !== 'GET' && Boolean(etagField(method.input) ?? (bodyMessage && etagField(bodyMessage))),
    givesEtag: rule.responseField === undefined && etagField(method.output) !== undefined,
    streams: method.methodKind === 'server_streaming',
  }
}

function describePath(rule: RestRule): { readonly path: string; readonly pathParameters: readonly PathParameter[] } {
  const { segments, variables, verb } = rule.template
  const pathParameters: PathParameter[] = []
  const parts = segments.map((segment, at) => {
    if ('literal' in segment) return segment.literal
    const variable = variables.find(({ from, to }) => at >= from && at < to)
    const fields = variable && fieldPath(rule.method.input, variable.field)
    const field = fields?.at(-1)
    if (!fields || !field) return segment.wild === '*' ? '-' : ''
    const base = fields.map((step) => step.jsonName).join('.')
    const wilds = segments.slice(variable.from, variable.to).filter((s) => 'wild' in s).length
    const name = wilds > 1 ? `${base}${pathParameters.length + 1}` : base
    pathParameters.push({ name, field, partial: variable.multi })
    return `{${name}}`
  })
  return { path: `/${parts.join('/')}${verb === '' ? '' : `:${verb}`}`, pathParameters }
}

function describeQuery(rule: RestRule): readonly QueryParameter[] {
  const bound = new Set(
    rule.template.variables.map(({ field }) =>
      fieldPath(rule.method.input, field)
        ?.map((step) => step.jsonName)
        .join('.'),
    ),
  )
  const bodyField = rule.body.kind === 'field' ? rule.body.field : undefined
  const parameters: QueryParameter[] = []
  const collect = (desc: DescMessage, prefix: string, above: readonly DescMessage[]) => {
    for (const field of desc.fields) {
      const name = `${prefix}${field.jsonName}`
      if (field === bodyField || bound.has(name)) continue
      if (textReader(field)) parameters.push({ name, field })
      else if (field.fieldKind === 'message' && !isWrapperDesc(field.message) && above.length < queryDepthMax) {
        if (!above.includes(field.message)) collect(field.message, `${name}.`, [...above, field.message])
      }
    }
  }
  collect(rule.method.input, '', [rule.method.input])
  return parameters
}
