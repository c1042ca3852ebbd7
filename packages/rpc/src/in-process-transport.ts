import type { DescMethod, Message } from '@bufbuild/protobuf'
import { type Clock, PlatformError, systemClock } from '@plinth/base'
import { currentScope, type Scope } from '@plinth/concurrency'
import { methodName } from './bind-service.ts'
import type { CallHeaders, CallOptions, Principal, Transport } from './call.ts'
import { createCallContext, type OpenCall } from './call-scope.ts'
import { checkTimeout } from './check-timeout.ts'
import { type CopyMessage, compileCopy } from './copy-message.ts'
import type { BoundMethod, Dispatcher } from './dispatch.ts'
import { transferFault } from './faults.ts'
import { checkHeaders, requestHeadersOf } from './headers.ts'
import { linkCancel } from './link-cancel.ts'
import { compileSizeCheck } from './message-size.ts'

/** Who calls, and how large an answer may be. */
export interface InProcessOptions {
  /** Who calls when the call brings no `authorization` header: usually the service this client was made for. */
  readonly principal?: Principal
  /** Largest answer (message of a stream) in bytes. @default 16 MiB */
  readonly answerBytesMax?: number
  /** @default systemClock */
  readonly clock?: Clock
}

/**
 * Calls a dispatcher of the same process as if it were remote: requests and answers are copies, deadlines and
 * cancellation travel, faults arrive without their cause, interceptors run. Closing it ends the calls under way.
 */
export function createInProcessTransport(dispatcher: Dispatcher, options: InProcessOptions = {}): Transport {
  return new InProcessTransport(dispatcher, options)
}

interface Target {
  readonly bound: BoundMethod
  readonly copyRequest: CopyMessage
  readonly answerFits: (message: Message) => boolean
}

class InProcessTransport implements Transport {
  readonly #dispatcher: Dispatcher
  readonly #principal: Principal | undefined
  readonly #clock: Clock
  readonly #answerBytesMax: number
  readonly #targets = new Map<DescMethod, Target>()
  readonly #open = new Set<OpenCall>()
  #closed = false

  constructor(dispatcher: Dispatcher, options: InProcessOptions) {
    this.#dispatcher = dispatcher
    this.#principal = options.principal
    this.#clock = options.clock ?? systemClock
    this.#answerBytesMax = options.answerBytesMax ?? 16 * 1024 * 1024
  }

  unary(method: DescMethod, request: unknown, options: CallOptions): Promise<unknown> {
    let call: OpenCall
    let target: Target
    let message: Message
    let release: () => void
    try {
      target = this.#target(method)
      message = target.copyRequest(request)
      const scope = currentScope()
      call = this.#openCall(method, options, scope)
      release = linkCancel(options, scope, (reason) => call.cancel(reason))
    } catch (error) {
      return Promise.reject(error)
    }
    this.#open.add(call)
    return target.bound.unary(message, call).then(
      (answer) => {
        this.#open.delete(call)
        release()
        this.#checkAnswer(target, answer)
        if (options.onHeaders) options.onHeaders(answerHeaders(call))
        return answer
      },
      (error: unknown) => {
        this.#open.delete(call)
        release()
        throw transferFault(error)
      },
    )
  }

  async *stream(
    method: DescMethod,
    requests: AsyncIterable<unknown>,
    options: CallOptions,
  ): AsyncGenerator<unknown, void, undefined> {
    const target = this.#target(method)
    const scope = currentScope()
    const call = this.#openCall(method, options, scope)
    const release = linkCancel(options, scope, (reason) => call.cancel(reason))
    this.#open.add(call)
    let headersDue = options.onHeaders !== undefined
    let ended = false
    const source = new RequestSource(requests, target.copyRequest, call)
    const answers = target.bound.stream(source.messages(), call)[Symbol.asyncIterator]()
    try {
      for (let step = await answers.next(); !step.done; step = await answers.next()) {
        this.#checkAnswer(target, step.value)
        if (headersDue) {
          headersDue = false
          options.onHeaders?.(answerHeaders(call))
        }
        yield step.value
      }
      if (headersDue) options.onHeaders?.(answerHeaders(call))
      ended = true
    } catch (error) {
      ended = true
      throw source.failed ? source.error : transferFault(error)
    } finally {
      this.#open.delete(call)
      release()
      // The reader left early: the handler learns it from its signal, as it would over the wire.
      if (!ended) call.cancel()
      await answers.return?.()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const call of this.#open) call.cancel(closedFault())
  }

  #target(method: DescMethod): Target {
    if (this.#closed) throw closedFault()
    const known = this.#targets.get(method)
    if (known) return known
    const bound = this.#dispatcher.find(method)
    if (!bound) {
      throw new PlatformError(`Cannot call ${methodName(method)}: nothing here serves it`, {
        kind: 'unsupported',
        code: 'rpc.method_unknown',
      })
    }
    const target = {
      bound,
      copyRequest: compileCopy(bound.method.input),
      answerFits: compileSizeCheck(bound.method.output, this.#answerBytesMax),
    }
    this.#targets.set(method, target)
    return target
  }

  #openCall(method: DescMethod, options: CallOptions, scope: Scope): OpenCall {
    let deadlineMs = scope.deadlineMs
    if (options.timeoutMs !== undefined) {
      checkTimeout(options.timeoutMs)
      deadlineMs = Math.min(deadlineMs, this.#clock.monotonicMs() + options.timeoutMs)
    }
    return createCallContext({
      method,
      transport: 'in-process',
      deadlineMs,
      requestHeaders: requestHeadersOf(options),
      principal: this.#principal,
      clock: this.#clock,
    })
  }

  #checkAnswer(target: Target, answer: Message): void {
    if (target.answerFits(answer)) return
    throw new PlatformError(
      `Cannot take the answer of ${methodName(target.bound.method)}: it has more than ${this.#answerBytesMax} bytes`,
      { kind: 'exhausted', code: 'rpc.answer_too_large', retryable: false },
    )
  }
}

function closedFault(): PlatformError {
  return new PlatformError('The transport is closed', { kind: 'unavailable', code: 'rpc.transport_closed' })
}

function answerHeaders(call: OpenCall): CallHeaders {
  checkHeaders(call.responseHeaders)
  return new Map(call.responseHeaders)
}

/**
 * The caller's requests as copies. What the source itself throws, or a value that fits no field, ends the call and is
 * the caller's again as it is: it never was the server's fault.
 */
class RequestSource {
  readonly #requests: AsyncIterable<unknown>
  readonly #copy: CopyMessage
  readonly #call: OpenCall
  failed = false
  error: unknown

  constructor(requests: AsyncIterable<unknown>, copy: CopyMessage, call: OpenCall) {
    this.#requests = requests
    this.#copy = copy
    this.#call = call
    this.error = undefined
  }

  async *messages(): AsyncGenerator<Message> {
    const steps = this.#requests[Symbol.asyncIterator]()
    try {
      for (let step = await this.#next(steps); !step.done; step = await this.#next(steps)) yield step.value
    } finally {
      await steps.return?.()
    }
  }

  async #next(steps: AsyncIterator<unknown>): Promise<IteratorResult<Message>> {
    try {
      const step = await steps.next()
      return step.done ? { done: true, value: undefined } : { done: false, value: this.#copy(step.value) }
    } catch (error) {
      this.failed = true
      this.error = error
      this.#call.cancel(error)
      throw error
    }
  }
}
