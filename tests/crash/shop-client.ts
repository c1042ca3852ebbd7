/**
 * A customer's client: REST, an idempotency key on every command, and the same command again after a lost answer.
 */
import { systemClock } from '@plinth/base'

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  /** Attempts before this one whose answer never came. */
  readonly lost: number
}

export interface Command {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly token?: string
  readonly key?: string
  readonly body?: unknown
  readonly contentType?: string
}

export interface ShopClientOptions {
  readonly url: string
  /** How long a command is repeated before the customer gives up. */
  readonly patienceMs: number
  /** Sends the customers home. */
  readonly signal: AbortSignal
  /** Hears of every answer, those that are asked for again included. */
  readonly onAnswer?: ((answer: Answer) => void) | undefined
  /** Hears of every answer that is no business of a customer: 500 and its like. */
  readonly onStrange: (command: Command, answer: Answer) => void
}

export type ShopClient = (command: Command) => Promise<Answer>

const pauseMs = 25
const callTimeoutMs = 10_000

/** Answers that ask to come again: nothing was decided, or nobody knows. */
const again = new Set([429, 502, 503, 504])

/** Nobody answered for as long as the customer was patient. */
export class Unanswered extends Error {}

export function createShopClient(options: ShopClientOptions): ShopClient {
  return async function call(command) {
    const startedMs = systemClock.monotonicMs()
    for (let lost = 0; ; lost++) {
      options.signal.throwIfAborted()
      const answer = await attempt(command, lost)
      if (answer) options.onAnswer?.(answer)
      if (answer && !again.has(answer.status)) {
        if (answer.status >= 500) options.onStrange(command, answer)
        return answer
      }
      if (systemClock.monotonicMs() - startedMs > options.patienceMs) {
        const last = answer ? `${answer.status} ${JSON.stringify(answer.body)}` : 'no answer'
        throw new Unanswered(`${command.method} ${command.path} was not answered in ${options.patienceMs} ms: ${last}`)
      }
      await pause(pauseMs)
    }
  }

  async function attempt(command: Command, lost: number): Promise<Answer | undefined> {
    const { method, path, token, key, body, contentType = 'application/json' } = command
    try {
      const response = await fetch(`${options.url}${path}`, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(key !== undefined && { 'idempotency-key': key }),
          ...(body !== undefined && { 'content-type': contentType }),
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(callTimeoutMs),
      })
      return { status: response.status, body: (await response.json()) as Answer['body'], lost }
    } catch {
      // Refused, reset or cut off in the middle: the customer cannot know what happened and asks again.
      return undefined
    }
  }
}

/** A short wait on the real clock. */
export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
