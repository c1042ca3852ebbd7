import type { ServerResponse } from 'node:http'
import type { Message } from '@bufbuild/protobuf'
import type { Answerer, FlatHeaders } from '@plinth/http'
import type { HttpBody } from '@plinth/rpc/contract'
import type { CallContext } from '../call.ts'
import { compileJsonEncoder, compileJsonFieldEncoder, type JsonEncoderOptions } from '../json/json-encoder.ts'
import { type Coding, type Compressor, chooseCoding } from './compression.ts'
import { getField } from './field-path.ts'
import { isHttpBody, type RestRule } from './http-rules.ts'
import { etagField } from './request-reader.ts'
import { addResponseHeaders, isNotModified, isTag } from './rest-headers.ts'

/** What an answer is written with. */
export interface WriterDeps {
  readonly answers: Answerer
  readonly compressor: Compressor
}

/** Writes the answer of a unary method. */
export type WriteResponse = (response: ServerResponse, message: Message, context: CallContext) => void

/** A body and its media type. */
interface Payload {
  readonly body: string | Uint8Array
  readonly contentType: string
}

/** Compiles how a rule's response message becomes a body. */
export function compilePayload(rule: RestRule, options: JsonEncoderOptions): (message: Message) => Payload {
  const field = rule.responseField
  if (isHttpBody(field ? field.message : rule.method.output)) {
    return (message) => rawPayload(field ? (getField(message, field) as HttpBody | undefined) : (message as HttpBody))
  }
  const encode = field ? compileJsonFieldEncoder(field, options) : compileJsonEncoder(rule.method.output, options)
  return (message) => ({ body: encode(message), contentType: 'application/json' })
}

const mediaTypeForm = /^[!-~][ -~]{0,254}$/

function rawPayload(body: HttpBody | undefined): Payload {
  const contentType = body?.contentType ?? ''
  return {
    body: body?.data ?? '',
    contentType: mediaTypeForm.test(contentType) ? contentType : 'application/octet-stream',
  }
}

/** Compiles the writer of one rule: encoding, `ETag` and 304, `Cache-Control`, compression. */
export function compileResponseWriter(
  rule: RestRule,
  deps: WriterDeps,
  options: JsonEncoderOptions = {},
): WriteResponse {
  const payloadOf = compilePayload(rule, options)
  const versionField = rule.responseField ? undefined : etagField(rule.method.output)
  return (response, message, context) => {
    const { headers: asked, method } = response.req
    const reads = method === 'GET' || method === 'HEAD'
    const version = versionField ? (getField(message, versionField) as string) : ''
    const etag = isTag(version) ? version : ''
    const headers: FlatHeaders = []
    addResponseHeaders(headers, context.responseHeaders)
    const isPrivate = !reads || context.principal !== undefined || asked.authorization !== undefined
    if (isPrivate && !context.responseHeaders.has('cache-control')) headers.push('cache-control', 'no-store')
    if (reads && etag !== '' && isNotModified(asked, etag)) {
      headers.push('etag', `"${etag}"`)
      deps.answers.send(response, 304, headers, '')
      return
    }
    const { body, contentType } = payloadOf(message)
    headers.push('content-type', contentType)
    if (body.length >= deps.compressor.bytesMin && isCompressible(contentType)) {
      headers.push('vary', 'accept-encoding')
      const coding = chooseCoding(asked['accept-encoding'] as string | undefined)
      const compressing = coding && deps.compressor.compress(body, coding)
      if (coding && compressing) {
        if (etag !== '') headers.push('etag', `W/"${etag}"`)
        sendCompressed(response, { deps, headers, body, coding, compressing })
        return
      }
    }
    if (etag !== '') headers.push('etag', `"${etag}"`)
    deps.answers.send(response, 200, headers, body)
  }
}

function sendCompressed(
  response: ServerResponse,
  answer: {
    readonly deps: WriterDeps
    readonly headers: FlatHeaders
    readonly body: string | Uint8Array
    readonly coding: Coding
    readonly compressing: Promise<Uint8Array>
  },
): void {
  const { deps, headers, body, coding } = answer
  answer.compressing.then(
    (compressed) => {
      headers.push('content-encoding', coding)
      deps.answers.send(response, 200, headers, compressed)
    },
    // The plain body serves as well.
    () => deps.answers.send(response, 200, headers, body),
  )
}

/** Pictures, archives and the like are compressed already. */
function isCompressible(contentType: string): boolean {
  return /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml|javascript))|\+(?:json|xml)\b/.test(contentType)
}
