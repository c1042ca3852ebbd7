import type { ServerResponse } from 'node:http'
import type { Message } from '@bufbuild/protobuf'
import { type Clock, fromUnknown, type PlatformError } from '@plinth/base'
import { type Answerer, type FlatHeaders, requestIdOf, toProblem } from '@plinth/http'
import type { OpenCall } from '../call-scope.ts'
import { drainingError } from '../faults.ts'
import type { JsonEncoderOptions } from '../json/json-encoder.ts'
import { getField } from './field-path.ts'
import { isHttpBody, type RestRule } from './http-rules.ts'
import { compilePayload } from './response-writer.ts'
import { addResponseHeaders } from './rest-headers.ts'

export interface StreamWriterDeps {
  readonly answers: Answerer
  readonly clock: Clock
  /** Pause after which an event stream says that it is alive, in milliseconds. */
  readonly heartbeatMs: number
  /** Aborts when the server wants to go: streams then end with a retryable problem. */
  readonly draining: AbortSignal
}

/** Writes the answers of a server stream until it ends, its client leaves, or the server drains. */
export type WriteStream = (
  response: ServerResponse,
  messages: AsyncIterable<Message>,
  context: OpenCall,
) => Promise<void>

/** How messages, errors and silence look on the wire. */
interface Frames {
  readonly contentType: string
  message(payload: string | Uint8Array, id: string): string | Uint8Array
  problem(json: string): string
  /** Empty where silence has no form. */
  readonly heartbeat: string
  readonly end: string
}

const ndjson: Frames = {
  contentType: 'application/x-ndjson',
  message: (payload) => `${payload}\n`,
  // No field of a message can be named with an @.
  problem: (json) => `{"@error":${json}}\n`,
  heartbeat: '',
  end: '',
}

// https://html.spec.whatwg.org/multipage/server-sent-events.html; JSON has no line breaks, so one data line does.
const eventStream: Frames = {
  contentType: 'text/event-stream',
  message: (payload, id) => `id: ${id}\ndata: ${payload}\n\n`,
  problem: (json) => `event: problem\ndata: ${json}\n\n`,
  heartbeat: ':\n\n',
  // Without it a browser would take the end for a broken connection and come back.
  end: 'event: end\ndata: {}\n\n',
}

/** How long the first message may take before the headers go out without it; less if the heartbeat is faster. */
const firstMessageMs = 1_000

/** Compiles the writer of one streaming rule: raw chunks for HttpBody, else SSE or NDJSON as `Accept` prefers. */
export function compileStreamWriter(
  rule: RestRule,
  deps: StreamWriterDeps,
  options: JsonEncoderOptions = {},
): WriteStream {
  const payloadOf = compilePayload(rule, options)
  const raw = isHttpBody(rule.responseField ? rule.responseField.message : rule.method.output)
  const idField = rule.method.output.fields.find((field) => field.name === 'event_id' && field.fieldKind === 'scalar')
  return async (response, messages, context) => {
    const chosen = prefersEventStream(response.req.headers.accept) ? eventStream : ndjson
    const sink = new StreamSink(response, context, { deps, frames: raw ? undefined : chosen })
    let count = 0
    try {
      for await (const message of messages) {
        count++
        const { body, contentType } = payloadOf(message)
        const id = idField ? String(getField(message, idField)).replaceAll(/[\r\n\0]/g, '') : String(count)
        await sink.write(raw ? body : chosen.message(body, id), contentType)
        // Leaving the loop tells the handler that nobody listens.
        if (response.destroyed) break
      }
      sink.end()
    } catch (error) {
      sink.fail(fromUnknown(error))
    }
  }
}

class StreamSink {
  readonly #response: ServerResponse
  readonly #context: OpenCall
  readonly #deps: StreamWriterDeps
  /** Undefined for raw chunks. */
  readonly #frames: Frames | undefined
  readonly #timer: { cancel(): void }[] = []
  readonly #onDrain = () => this.#context.cancel(drainingError())

  constructor(
    response: ServerResponse,
    context: OpenCall,
    { deps, frames }: { readonly deps: StreamWriterDeps; readonly frames: Frames | undefined },
  ) {
    this.#response = response
    this.#context = context
    this.#deps = deps
    this.#frames = frames
    if (deps.draining.aborted) this.#onDrain()
    else deps.draining.addEventListener('abort', this.#onDrain, { once: true })
    if (frames) this.#arm(Math.min(firstMessageMs, deps.heartbeatMs))
  }

  async write(chunk: string | Uint8Array, contentType: string): Promise<void> {
    this.#begin(this.#frames?.contentType ?? contentType)
    this.#arm(this.#deps.heartbeatMs)
    if (this.#response.destroyed || this.#response.write(chunk)) return
    // A slow reader slows the handler: nothing is pulled until the socket has room again.
    await roomIn(this.#response)
  }

  end(): void {
    this.#stop()
    if (this.#response.destroyed) return
    this.#begin(this.#frames?.contentType ?? 'application/octet-stream')
    this.#response.end(this.#frames?.end ?? '')
  }

  /** Before the first byte a fault is an answer like any other; after it, a frame; in raw bytes, a cut. */
  fail(error: PlatformError): void {
    this.#stop()
    if (this.#response.destroyed) return
    if (!this.#response.headersSent) this.#deps.answers.sendProblem(this.#response, error)
    else if (!this.#frames) this.#response.destroy()
    else this.#response.end(this.#frames.problem(JSON.stringify(toProblem(error, requestIdOf(this.#response)))))
  }

  #begin(contentType: string): void {
    if (this.#response.headersSent) return
    const headers: FlatHeaders = ['content-type', contentType]
    addResponseHeaders(headers, this.#context.responseHeaders)
    // Proxies that buffer would hold messages back.
    headers.push('cache-control', 'no-store', 'x-accel-buffering', 'no')
    this.#deps.answers.begin(this.#response, 200, headers)
    this.#response.flushHeaders()
  }

  #arm(delayMs: number): void {
    this.#timer.pop()?.cancel()
    const { heartbeat, contentType } = this.#frames ?? { heartbeat: '', contentType: '' }
    if (heartbeat === '' && (this.#response.headersSent || contentType === '')) return
    const beat = () => {
      if (this.#response.destroyed) return
      this.#begin(contentType)
      // A reader too slow for its messages needs no sign of life on top.
      if (heartbeat !== '' && !this.#response.writableNeedDrain) this.#response.write(heartbeat)
      this.#arm(this.#deps.heartbeatMs)
    }
    this.#timer.push(this.#deps.clock.setTimer(beat, delayMs))
  }

  #stop(): void {
    this.#timer.pop()?.cancel()
    this.#deps.draining.removeEventListener('abort', this.#onDrain)
  }
}

/** Resolves when a response can take more, or never will. */
function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle)
      resolve()
    }
    response.on('drain', settle).on('close', settle)
  })
}

/** SSE when `Accept` names it and does not like NDJSON better. */
export function prefersEventStream(accept: string | undefined): boolean {
  if (!accept?.includes('text/event-stream')) return false
  const weightOf = (type: string) => {
    const part = accept.split(',', 20).find((entry) => entry.split(';')[0]?.trim() === type)
    if (part === undefined) return 0
    return Number(/;\s*q=([01](?:\.\d{0,3})?)/.exec(part)?.[1] ?? 1)
  }
  const weight = weightOf('text/event-stream')
  return weight > 0 && weight >= weightOf('application/x-ndjson')
}
