import { timestampMs } from '@bufbuild/protobuf/wkt'
import { type Clock, PlatformError, systemClock } from '@plinth/base'
import {
  type Bus,
  type BusAdmin,
  checkMessages,
  type DeadLetter,
  type DeadLetterSelection,
  type GroupInfo,
  type MessageLimits,
  type NewMessage,
  resolveLimits,
  resolveSubscription,
  type Subscription,
  type TailQuery,
  type TopicInfo,
} from '@plinth/messaging'
import type { Client } from '@plinth/rpc'
import { type EventsService, Start } from '../../contract/index.ts'
import { fromEvent, toEvent } from '../wire/event-message.ts'
import { RemoteSubscription } from './remote-subscription.ts'

export interface RemoteBusDeps {
  /** A client of the events service with the role `service`. Whoever made it closes it, after the bus. */
  readonly client: Client<typeof EventsService>
  /** @default systemClock */
  readonly clock?: Clock
}

export interface RemoteBusOptions {
  /** The bounds of the bus on the other side. */
  readonly limits?: Partial<MessageLimits>
  /** First pause before a broken subscription joins again; it doubles up to `rejoinMaxMs`. @default 50 */
  readonly rejoinMinMs?: number
  /** @default 5000 */
  readonly rejoinMaxMs?: number
}

// Calls stay below this, so that a batch the bus would take never fails for the size of one request.
const callBytesMax = 4 << 20
const pageSize = 100
const graceMsDefault = 5000

/**
 * The bus of another process behind the same port. `publish` resolves when the messages are durable over there; it
 * is not repeated by itself, because only the caller (an outbox relay) knows whether it may be. A subscription whose
 * connection breaks joins again by itself: what was not answered comes again, in order, and a message whose handler
 * is still running here is not handled twice at the same time.
 *
 * @example
 * ```ts no-run
 * await using bus = openRemoteBus({ client: createClient(EventsService, transport) })
 * ```
 */
export function openRemoteBus(deps: RemoteBusDeps, options: RemoteBusOptions = {}): Bus {
  return new RemoteBus(deps, options)
}

class RemoteBus implements Bus {
  readonly admin: BusAdmin
  readonly #client: Client<typeof EventsService>
  readonly #clock: Clock
  readonly #limits: MessageLimits
  readonly #rejoin: { readonly minMs: number; readonly maxMs: number }
  readonly #subscriptions = new Set<RemoteSubscription>()
  readonly #closing = new AbortController()

  constructor(deps: RemoteBusDeps, options: RemoteBusOptions) {
    const { rejoinMinMs: minMs = 50, rejoinMaxMs: maxMs = 5000 } = options
    if (!(minMs > 0 && maxMs >= minMs)) {
      throw new RangeError(`Cannot pause ${minMs} to ${maxMs} ms: 0 < rejoinMinMs <= rejoinMaxMs`)
    }
    this.#client = deps.client
    this.#clock = deps.clock ?? systemClock
    this.#limits = resolveLimits(options.limits)
    this.#rejoin = { minMs, maxMs }
    this.admin = this.#createAdmin()
  }

  async publish(messages: readonly NewMessage[], options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#checkOpen()
    options.signal?.throwIfAborted()
    checkMessages(messages, this.#limits)
    // Copied before the first wait: the messages are those of the moment of the call.
    for (const events of inCalls(messages)) await this.#client.publish({ events }, options)
  }

  async subscribe(options: Parameters<Bus['subscribe']>[0]): Promise<Subscription> {
    this.#checkOpen()
    const resolved = resolveSubscription(options)
    const subscription = new RemoteSubscription(
      { client: this.#client, clock: this.#clock, rejoin: this.#rejoin },
      { resolved, handler: options.handler },
    )
    this.#subscriptions.add(subscription)
    try {
      await subscription.joined
    } catch (error) {
      this.#subscriptions.delete(subscription)
      throw error
    }
    const close: Subscription['close'] = async (how = {}) => {
      await subscription.close(how.graceMs ?? graceMsDefault)
      this.#subscriptions.delete(subscription)
    }
    return { close, [Symbol.asyncDispose]: () => close() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(closedFault())
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close(graceMsDefault)))
  }

  #checkOpen(): void {
    this.#closing.signal.throwIfAborted()
  }

  #createAdmin(): BusAdmin {
    const client = this.#client
    return {
      topics: async () => {
        this.#checkOpen()
        const all: TopicInfo[] = []
        for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
          const page = await client.listTopics({ pageSize, pageToken })
          for (const { topic, firstOffset, nextOffset, bytes } of page.topics) {
            all.push({ topic, firstOffset, nextOffset, bytes: Number(bytes) })
          }
          pageToken = page.nextPageToken || undefined
        }
        return all
      },
      groups: async () => {
        this.#checkOpen()
        const all: GroupInfo[] = []
        for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
          const page = await client.listGroups({ pageSize, pageToken })
          for (const { group, topic, committedOffset, lag, deadLetters, active } of page.groups) {
            all.push({ group, topic, committedOffset, lag, deadLetters, active })
          }
          pageToken = page.nextPageToken || undefined
        }
        return all
      },
      deadLetters: async (query) => {
        this.#checkOpen()
        const limit = query.limit ?? 100
        if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
          throw invalidQuery(`Cannot list ${limit} dead letters: limit is 1 to 1000`)
        }
        const letters: DeadLetter[] = []
        let pageToken = query.after ?? ''
        do {
          const { group = '', topic = '' } = query
          const size = Math.min(pageSize, limit - letters.length)
          const page = await asQuery(client.listDeadLetters({ group, topic, pageSize: size, pageToken }))
          for (const { id, group: of, event, attempts, failure, diedAt } of page.deadLetters) {
            if (event === undefined || diedAt === undefined) continue
            letters.push({ id, group: of, message: fromEvent(event), attempts, failure, diedAtMs: timestampMs(diedAt) })
          }
          pageToken = page.nextPageToken
        } while (pageToken !== '' && letters.length < limit)
        return { letters, next: pageToken === '' ? undefined : pageToken }
      },
      replay: async (selection) => {
        this.#checkOpen()
        return await inSelections(selection, async (part) => (await client.replayDeadLetters(part)).count)
      },
      drop: async (selection) => {
        this.#checkOpen()
        return await inSelections(selection, async (part) => (await client.dropDeadLetters(part)).count)
      },
      tail: (query) => this.#tail(query),
    }
  }

  async *#tail(query: TailQuery) {
    this.#checkOpen()
    const { topic, from = 'latest' } = query
    const signals = query.signal ? [query.signal, this.#closing.signal] : [this.#closing.signal]
    const start = from === 'earliest' ? Start.EARLIEST : Start.LATEST
    const request = typeof from === 'bigint' ? { topic, fromOffset: from } : { topic, start }
    try {
      for await (const event of this.#client.tailTopic(request, { signal: AbortSignal.any(signals) })) {
        if (query.signal?.aborted) return
        yield fromEvent(event)
      }
    } catch (error) {
      if (query.signal?.aborted) return
      this.#checkOpen()
      throw queryFault(error)
    }
  }
}

async function asQuery<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw queryFault(error)
  }
}

/** What the contract refuses is what the port calls an invalid query. */
function queryFault(error: unknown): unknown {
  return PlatformError.is(error) && error.kind === 'invalid' && error.code.startsWith('rpc.')
    ? invalidQuery(error.message)
    : error
}

/** The events of a publish in calls that are not too large. */
function inCalls(messages: readonly NewMessage[]): ReturnType<typeof toEvent>[][] {
  const calls: ReturnType<typeof toEvent>[][] = []
  let bytes = Infinity
  for (const message of messages) {
    const size = message.payload.length + 1024
    if (bytes + size > callBytesMax) {
      calls.push([])
      bytes = 0
    }
    calls.at(-1)?.push(toEvent(message))
    bytes += size
  }
  return calls
}

const idsPerCall = 1000

async function inSelections(
  selection: DeadLetterSelection,
  call: (part: { ids: string[] } | { group: string; topic: string }) => Promise<number>,
): Promise<number> {
  if (!('ids' in selection)) return await call({ group: selection.group, topic: selection.topic ?? '' })
  let count = 0
  for (let at = 0; at < selection.ids.length; at += idsPerCall) {
    count += await call({ ids: selection.ids.slice(at, at + idsPerCall) })
  }
  return count
}

function closedFault(): PlatformError {
  return new PlatformError('Cannot use the bus: it is closed', { kind: 'unavailable', code: 'messaging.closed' })
}

function invalidQuery(message: string): PlatformError {
  return new PlatformError(message, { kind: 'invalid', code: 'messaging.invalid_query' })
}
