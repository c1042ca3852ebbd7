import type { Message } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { methodName } from '../bind-service.ts'
import type { CallContext } from '../call.ts'
import type { OpenCall } from '../call-scope.ts'
import type { Interceptor } from '../dispatch.ts'
import { compileSizeCheck } from '../message-size.ts'

/** What a server takes on at once. Every limit is a whole number of at least 1; `queueMax` may be 0. */
export interface LimitOptions {
  /** Unary calls that run at once, of all methods. @default 1000 */
  readonly callsMax?: number
  /** Unary calls that run at once, of one method. @default callsMax */
  readonly callsPerMethodMax?: number
  /** Unary calls that wait for a turn, in the order they came; past it the answer is `rpc.overloaded`. @default 1000 */
  readonly queueMax?: number
  /** Streams open at once, of all methods; they do not wait. @default 1000 */
  readonly streamsMax?: number
  /** Largest request message in bytes, where the method's policy sets none. @default 4 MiB */
  readonly requestBytesMax?: number
  /** What a refused caller is told to wait, in milliseconds. @default 100 */
  readonly retryAfterMs?: number
}

const defaults = {
  callsMax: 1000,
  queueMax: 1000,
  streamsMax: 1000,
  requestBytesMax: 4 * 1024 * 1024,
  retryAfterMs: 100,
}

/** Bounds how much runs and waits at once, and how large a request may be. Past a limit the answer is `exhausted`. */
export function createLimitsInterceptor(options: LimitOptions = {}): Interceptor {
  const limits = resolveLimitOptions(options)
  const calls = new Gate('unary calls', limits.callsMax, limits.queueMax, limits.retryAfterMs)
  const streams = new Gate('streams', limits.streamsMax, 0, limits.retryAfterMs)
  return (method, policy) => {
    const name = methodName(method)
    const own = new Gate(`calls of ${name}`, limits.callsPerMethodMax, limits.queueMax, limits.retryAfterMs)
    const bytesMax = policy.requestBytesMax > 0 ? policy.requestBytesMax : limits.requestBytesMax
    const fits = compileSizeCheck(method.input, bytesMax)
    const checkSize = (message: Message) => {
      if (!fits(message)) throw tooLarge(name, bytesMax)
      return message
    }
    async function queued(request: Message, context: CallContext, run: UnaryHandler): Promise<Message> {
      if (!own.tryEnter()) await own.enter(context as OpenCall)
      try {
        if (!calls.tryEnter()) await calls.enter(context as OpenCall)
      } catch (error) {
        own.leave()
        throw error
      }
      return run(request, context)
    }
    return {
      unary: (next) => {
        const leave = () => {
          calls.leave()
          own.leave()
        }
        const run: typeof next = (request, context) => {
          const answer = next(request, context)
          // A place is free when the handler has ended, even if its caller was answered long before.
          answer.then(leave, leave)
          return answer
        }
        return (request, context) => {
          if (!fits(request)) return Promise.reject(tooLarge(name, bytesMax))
          if (!own.tryEnter()) return queued(request, context, run)
          if (calls.tryEnter()) return run(request, context)
          own.leave()
          return queued(request, context, run)
        }
      },
      stream: (next) =>
        async function* limited(requests, context: CallContext) {
          if (!streams.tryEnter()) throw streams.full()
          try {
            yield* next(mapStream(requests, checkSize), context)
          } finally {
            streams.leave()
          }
        },
    }
  }
}

type UnaryHandler = (request: Message, context: CallContext) => Promise<Message>

async function* mapStream<T>(source: AsyncIterable<T>, map: (value: T) => T): AsyncGenerator<T> {
  for await (const value of source) yield map(value)
}

function tooLarge(name: string, bytesMax: number): PlatformError {
  return new PlatformError(`Cannot call ${name} with a message of more than ${bytesMax} bytes`, {
    kind: 'exhausted',
    code: 'rpc.request_too_large',
    retryable: false,
    details: { bytes_max: bytesMax },
  })
}

/** Lets at most `max` in; a bounded number waits outside, first come, first served. */
class Gate {
  readonly #what: string
  readonly #max: number
  readonly #queueMax: number
  readonly #retryAfterMs: number
  readonly #waiting = new Set<() => void>()
  #inside = 0

  constructor(what: string, max: number, queueMax: number, retryAfterMs: number) {
    this.#what = what
    this.#max = max
    this.#queueMax = queueMax
    this.#retryAfterMs = retryAfterMs
  }

  tryEnter(): boolean {
    if (this.#inside >= this.#max) return false
    this.#inside++
    return true
  }

  enter(call: OpenCall): Promise<void> {
    if (this.#waiting.size >= this.#queueMax) return Promise.reject(this.full())
    return new Promise((resolve, reject) => {
      const admit = () => {
        forget()
        resolve()
      }
      this.#waiting.add(admit)
      const forget = call.onCancel((reason) => {
        this.#waiting.delete(admit)
        reject(reason)
      })
    })
  }

  /** A place that becomes free goes to the first who waits, without being free in between. */
  leave(): void {
    for (const admit of this.#waiting) {
      this.#waiting.delete(admit)
      admit()
      return
    }
    this.#inside--
  }

  full(): PlatformError {
    return new PlatformError(`Cannot take the call: ${this.#max} ${this.#what} are under way`, {
      kind: 'exhausted',
      code: 'rpc.overloaded',
      retryAfterMs: this.#retryAfterMs,
    })
  }
}

function resolveLimitOptions(options: LimitOptions): Required<LimitOptions> {
  const limits = { ...defaults, callsPerMethodMax: options.callsMax ?? defaults.callsMax, ...options }
  const broken = Object.entries(limits).filter(([name, value]) => {
    return !Number.isSafeInteger(value) || value < (name === 'queueMax' || name === 'retryAfterMs' ? 0 : 1)
  })
  if (broken.length > 0) {
    throw new RangeError(`Cannot limit calls: ${broken.map(([name, value]) => `${name} is ${value}`).join(', ')}`)
  }
  return limits
}
