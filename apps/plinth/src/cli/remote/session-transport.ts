import type { DescMethod } from '@bufbuild/protobuf'
import { type Clock, PlatformError, type Random, sleep } from '@plinth/base'
import type { CallOptions, Transport } from '@plinth/rpc/client'
import type { Session } from './session.ts'

/** What a command says about all of its calls. */
export interface SessionCalls {
  readonly session: Session
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** One for the whole command: repeated calls happen once. */
  readonly idempotencyKey: string
  readonly clock: Clock
  readonly random: Random
}

const attemptsMax = 4
const firstPauseMs = 200

/**
 * Calls as whoever is logged in: with a token that is exchanged before it ends, the command's idempotency key, time limit
 * and Ctrl-C. A call that finds nobody is repeated under the same key, up to 4 times within two seconds; a stream is
 * not, for its reader has seen a part.
 */
export function createSessionTransport(transport: Transport, calls: SessionCalls): Transport {
  const { session, signal, timeoutMs, idempotencyKey } = calls

  const optionsOf = (options: CallOptions, token: string | undefined): CallOptions => ({
    signal,
    idempotencyKey,
    ...options,
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...options.headers },
  })

  /** Calls once, and once more with a new token when the old one was refused. */
  async function callAsSomebody(method: DescMethod, request: unknown, options: CallOptions): Promise<unknown> {
    const token = await session.accessToken()
    try {
      return await transport.unary(method, request, optionsOf(options, token))
    } catch (error) {
      if (!isRefusedToken(error)) throw error
      const next = token === undefined ? undefined : await session.renew(token)
      if (next === undefined) throw notLoggedIn(session, error)
      return await transport.unary(method, request, optionsOf(options, next))
    }
  }

  return {
    async unary(method, request, options) {
      const timed = { timeoutMs, ...options }
      for (let attempt = 1; ; attempt++) {
        try {
          return await callAsSomebody(method, request, timed)
        } catch (error) {
          if (attempt === attemptsMax || !isAway(error)) throw error
        }
        await sleep(calls.clock, firstPauseMs * 2 ** (attempt - 1) * (0.5 + calls.random.next() / 2), signal)
      }
    },
    async *stream(method, requests, options) {
      const token = await session.accessToken()
      try {
        yield* transport.stream(method, requests, optionsOf(options, token))
      } catch (error) {
        if (isRefusedToken(error)) throw notLoggedIn(session, error)
        throw error
      }
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

function isRefusedToken(error: unknown): boolean {
  // What identity refuses is a password or a session, not the token of the call.
  if (!PlatformError.is(error) || error.code === 'plinth.login_expired') return false
  return error.kind === 'unauthenticated' && !error.code.startsWith('identity.')
}

function isAway(error: unknown): boolean {
  return PlatformError.is(error) && error.kind === 'unavailable' && error.retryable
}

function notLoggedIn({ key }: Session, cause: unknown): PlatformError {
  const who = key.name === 'default' ? '' : ` as "${key.name}"`
  return new PlatformError(`You are not logged in at ${key.server}${who}`, {
    kind: 'unauthenticated',
    code: 'plinth.not_logged_in',
    cause,
  })
}
