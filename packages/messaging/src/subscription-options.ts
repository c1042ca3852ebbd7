import type { RetryOptions, SubscribeOptions } from './bus.ts'
import { messagingFault } from './faults.ts'
import { isTopic } from './message-limits.ts'

/** Subscribe options with every default filled in. */
export interface ResolvedSubscription {
  /** Each topic once. */
  readonly topics: readonly string[]
  readonly group: string
  /** Undefined for every type. */
  readonly types: ReadonlySet<string> | undefined
  readonly concurrency: number
  readonly from: 'earliest' | 'latest'
  readonly retry: Required<RetryOptions>
}

const groupPattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$/
const topicsMax = 100
const typesMax = 100

/**
 * Fills in the defaults and checks the bounds; for adapters of the bus port.
 *
 * @throws PlatformError `messaging.invalid_query` for topics or a group that cannot be.
 * @throws RangeError for numbers out of bounds.
 */
export function resolveSubscription(options: SubscribeOptions): ResolvedSubscription {
  const { topics, group, concurrency = 64, from = 'earliest' } = options
  if (topics.length < 1 || topics.length > topicsMax || !topics.every(isTopic)) {
    throw messagingFault('messaging.invalid_query', `Cannot subscribe: topics are 1 to ${topicsMax} names of topics`)
  }
  if (!groupPattern.test(group)) {
    throw messagingFault('messaging.invalid_query', `Cannot subscribe: "${group.slice(0, 80)}" is not a group's name`)
  }
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 10_000) {
    throw new RangeError(`Cannot handle ${concurrency} keys at once: concurrency is 1 to 10000`)
  }
  const { types } = options
  if (types && (types.length < 1 || types.length > typesMax)) {
    throw new RangeError(`Cannot want ${types.length} types of messages: types are 1 to ${typesMax} names`)
  }
  return {
    topics: [...new Set(topics)],
    group,
    types: types && new Set(types),
    concurrency,
    from,
    retry: resolveRetry(options.retry),
  }
}

function resolveRetry(retry: RetryOptions = {}): Required<RetryOptions> {
  const { attemptsMax = 10, backoffMinMs = 50, backoffMaxMs = Math.max(30_000, backoffMinMs) } = retry
  if (!Number.isInteger(attemptsMax) || attemptsMax < 1 || attemptsMax > 1000) {
    throw new RangeError(`Cannot try ${attemptsMax} times: attemptsMax is 1 to 1000`)
  }
  if (!(backoffMinMs >= 0 && backoffMaxMs >= backoffMinMs && backoffMaxMs <= 2 ** 31 - 1)) {
    throw new RangeError(`Cannot pause ${backoffMinMs} to ${backoffMaxMs} ms: 0 <= backoffMinMs <= backoffMaxMs < 2^31`)
  }
  return { attemptsMax, backoffMinMs, backoffMaxMs }
}
