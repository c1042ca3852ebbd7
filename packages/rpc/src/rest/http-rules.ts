import { type DescField, type DescMessage, type DescMethod, getOption, hasOption } from '@bufbuild/protobuf'
import { http } from '../../contract/gen/google/api/annotations_pb.ts'
import type { HttpRule } from '../../contract/gen/google/api/http_pb.ts'
import { methodName } from '../bind-service.ts'
import { fieldPath } from './field-path.ts'
import { type PathTemplate, parsePathTemplate } from './path-template.ts'

/** What fills the body of a request: nothing, the whole message, or one field of it. */
export type BodyRule =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'field'; readonly field: DescField }

/** One way to reach a method over HTTP, taken from its `google.api.http` option and checked. */
export interface RestRule {
  readonly method: DescMethod
  /** `GET`, or the name a custom pattern gives; `*` for any. */
  readonly httpMethod: string
  readonly template: PathTemplate
  readonly body: BodyRule
  /** The field of the response that is the body; undefined for the whole message. */
  readonly responseField: DescField | undefined
}

const nameForm = /^(?:[A-Z]+|\*)$/

/**
 * The rules of a method, its additional bindings included; none for a method without the option.
 *
 * @throws TypeError naming the method when a rule names fields that are not there or binds what cannot be bound.
 */
export function restRulesOf(method: DescMethod): readonly RestRule[] {
  if (!hasOption(method, http)) return []
  const rule = getOption(method, http)
  return [rule, ...rule.additionalBindings].map((binding) => readRule(method, binding))
}

/** Whether a message goes over HTTP as raw bytes with a content type of its own. */
export function isHttpBody(desc: DescMessage | undefined): boolean {
  return desc?.typeName === 'google.api.HttpBody'
}

function readRule(method: DescMethod, rule: HttpRule): RestRule {
  const fail = (why: string): never => {
    throw new TypeError(`Cannot serve ${methodName(method)} over REST: ${why}`)
  }
  if (method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming') {
    fail('HTTP carries one request at a time, and this method streams them')
  }
  const { pattern } = rule
  if (pattern.case === undefined) return fail('its rule has no pattern')
  const [httpMethod, path] =
    pattern.case === 'custom' ? [pattern.value.kind, pattern.value.path] : [pattern.case.toUpperCase(), pattern.value]
  if (!nameForm.test(httpMethod)) fail(`"${httpMethod}" is not the name of an HTTP method in capitals`)
  const template = parsePathTemplate(path)
  for (const { field } of template.variables) {
    const leaf = fieldPath(method.input, field)?.at(-1) ?? fail(`${field} is not a field of ${method.input.typeName}`)
    if (leaf.fieldKind !== 'scalar' && leaf.fieldKind !== 'enum') fail(`${field} cannot be part of a path`)
  }
  return {
    method,
    httpMethod,
    template,
    body: readBodyRule(rule.body, method, fail),
    responseField:
      rule.responseBody === ''
        ? undefined
        : (fieldNamed(method.output, rule.responseBody) ?? fail(`response_body names no field: ${rule.responseBody}`)),
  }
}

function readBodyRule(body: string, method: DescMethod, fail: (why: string) => never): BodyRule {
  if (body === '') return { kind: 'none' }
  if (body === '*') return { kind: 'whole' }
  return { kind: 'field', field: fieldNamed(method.input, body) ?? fail(`body names no field: ${body}`) }
}

function fieldNamed(desc: DescMessage, name: string): DescField | undefined {
  return desc.fields.find((field) => field.name === name)
}
