import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf'
import { FieldMaskSchema } from '@bufbuild/protobuf/wkt'
import { httpError } from '@plinth/http'
import { HttpBodySchema } from '@plinth/rpc/contract'
import { methodName } from '../bind-service.ts'
import { DecodeState, type JsonLimits, wrong } from '../json/decode-state.ts'
import { compileJsonFieldDecoder, compileJsonReader, type JsonDecoderOptions } from '../json/json-decoder.ts'
import { parseJson } from '../json/parse-json.ts'
import { fieldPath, getField, holderOf, setField } from './field-path.ts'
import { isHttpBody, type RestRule } from './http-rules.ts'
import { maskOf } from './patch-mask.ts'
import { decodeSegment, decodeSegments } from './path-router.ts'
import type { TemplateVariable } from './path-template.ts'
import { compileQueryReader } from './query-reader.ts'
import { textReader } from './text-reader.ts'

/** What HTTP brought, besides headers that only the handler reads. */
export interface RestRequest {
  readonly segments: readonly string[]
  /** Behind the question mark; empty without one. */
  readonly query: string
  readonly body: Uint8Array
  readonly contentType: string | undefined
  /** The one entity tag of `If-Match`, without its quotes; undefined without one. */
  readonly ifMatch: string | undefined
}

/**
 * Makes the request message of one rule.
 *
 * @throws PlatformError `rpc.invalid_request` with every broken field of path, query and body together;
 * `rpc.invalid_json`, `rpc.unexpected_body`, `http.media_type`.
 */
export type ReadRequest = (request: RestRequest) => Message

/** Compiles the request mapping of google.api.http for one rule. The path wins over what body or query say. */
export function compileRequestReader(rule: RestRule, options: JsonDecoderOptions = {}): ReadRequest {
  const { input } = rule.method
  const variables = rule.template.variables.map((variable) => compileVariable(input, variable))
  const readBody = compileBody(rule, options)
  const readQuery = compileQueryReader(input, takenBy(rule, variables))
  const maskField = patchMaskField(rule)
  const setEtag = compileEtag(rule)
  const limits: JsonLimits = options
  const name = methodName(rule.method)
  return (request) => {
    const state = new DecodeState(limits)
    const { message, json } = readBody(request, state)
    if (request.query !== '') readQuery(request.query, message, state)
    for (const variable of variables) variable.set(request.segments, message, state)
    state.throwIfWrong(name)
    if (maskField && getField(message, maskField) === undefined && json !== undefined) {
      const bound = variables.map((variable) => variable.path)
      setField(message, maskField, create(FieldMaskSchema, { paths: maskOf(rule, json, bound) }))
    }
    if (request.ifMatch !== undefined) setEtag(message, request.ifMatch)
    return message
  }
}

interface BoundVariable {
  readonly path: readonly DescField[]
  set(segments: readonly string[], message: Message, state: DecodeState): void
}

function compileVariable(input: DescMessage, { field, from, to, multi }: TemplateVariable): BoundVariable {
  const path = fieldPath(input, field) as readonly DescField[]
  const leaf = path.at(-1) as DescField
  const read = textReader(leaf)
  if (!read) throw new TypeError(`Cannot bind ${field}: it has no form in a path`)
  const name = path.map((step) => step.jsonName).join('.')
  return {
    path,
    set(segments, message, state) {
      const text = multi ? decodeSegments(segments.slice(from, to)) : decodeSegment(segments[from] as string)
      state.down(name)
      const value = read(text, state)
      state.up()
      if (value !== wrong) setField(holderOf(message, path), leaf, value)
    },
  }
}

interface Body {
  readonly message: Message
  /** The parsed body when it is one field of the request. */
  readonly json: unknown
}

function compileBody(rule: RestRule, options: JsonDecoderOptions): (request: RestRequest, state: DecodeState) => Body {
  const { input } = rule.method
  const { body } = rule
  if (body.kind === 'none') {
    return ({ body: bytes }) => {
      if (bytes.byteLength > 0) throw httpError('http.malformed', 'This request takes no body')
      return { message: create(input), json: undefined }
    }
  }
  if (body.kind === 'whole') {
    if (isHttpBody(input)) return (request) => ({ message: rawBody(request), json: undefined })
    const read = compileJsonReader(input, options)
    return (request, state) => {
      if (request.body.byteLength === 0) return { message: create(input), json: undefined }
      checkJson(request.contentType)
      const message = read(parseJson(request.body), state)
      // What is wrong at the very top leaves no message; the violations are thrown before it is used.
      return { message: message === wrong ? create(input) : (message as Message), json: undefined }
    }
  }
  const { field } = body
  if (isHttpBody(field.message)) {
    return (request) => {
      const message = create(input)
      setField(message, field, rawBody(request))
      return { message, json: undefined }
    }
  }
  const read = compileJsonFieldDecoder(field, options)
  return (request, state) => {
    const message = create(input)
    if (request.body.byteLength === 0) return { message, json: undefined }
    checkJson(request.contentType)
    const json = parseJson(request.body)
    state.down(field.jsonName)
    read(message, json, state)
    state.up()
    return { message, json }
  }
}

function rawBody(request: RestRequest): Message {
  return create(HttpBodySchema, {
    contentType: request.contentType ?? 'application/octet-stream',
    data: new Uint8Array(request.body),
  })
}

/** JSON is UTF-8 (RFC 8259, section 8.1); a charset that says otherwise is a lie or a mistake. */
function checkJson(contentType: string | undefined): void {
  if (contentType === 'application/json') return
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';')
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='))
  const known = type.trim() === 'application/json' && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))
  if (!known) throw httpError('http.media_type', 'This request takes application/json in UTF-8')
}

/** Fields that the path or the body gives, and everything under them. */
function takenBy(rule: RestRule, variables: readonly BoundVariable[]): (path: readonly DescField[]) => boolean {
  if (rule.body.kind === 'whole') return () => true
  const bodyField = rule.body.kind === 'field' ? rule.body.field : undefined
  return (path) =>
    path[0] === bodyField ||
    variables.some((variable) => variable.path.length === path.length && variable.path.every((f, at) => f === path[at]))
}

/** The mask that a PATCH leaves out when it means "what the body holds" (AIP-134). */
function patchMaskField(rule: RestRule): DescField | undefined {
  if (rule.httpMethod !== 'PATCH' || rule.body.kind !== 'field' || !rule.body.field.message) return undefined
  return rule.method.input.fields.find(
    (field) => field.fieldKind === 'message' && field.message.typeName === 'google.protobuf.FieldMask',
  )
}

/** `If-Match` goes into the request's `etag`, or into that of the resource it carries, unless one is there already. */
function compileEtag(rule: RestRule): (message: Message, etag: string) => void {
  const own = etagField(rule.method.input)
  const bodyField = rule.body.kind === 'field' ? rule.body.field : undefined
  const inner = bodyField?.fieldKind === 'message' ? etagField(bodyField.message) : undefined
  return (message, etag) => {
    const holder = own ? message : inner && (getField(message, bodyField as DescField) as Message | undefined)
    const field = own ?? inner
    if (holder && field && getField(holder, field) === '') setField(holder, field, etag)
  }
}

/** The version field of a resource: a plain string named `etag`. */
export function etagField(desc: DescMessage): DescField | undefined {
  return desc.fields.find(
    (field) => field.name === 'etag' && field.fieldKind === 'scalar' && field.scalar === ScalarType.STRING,
  )
}
