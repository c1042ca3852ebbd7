import type { BusAdmin, DeadLetterSelection, GroupInfo, Message, TailQuery, TopicInfo } from './bus.ts'
import type { BusInside } from './bus-inside.ts'
import { letterChange } from './bus-state.ts'
import { messagingFault } from './faults.ts'
import { firstOffset, type Topic } from './log/topic-index.ts'
import { isTopic } from './message-limits.ts'

/** The operator's side of the embedded log. */
export function createLogBusAdmin(bus: BusInside): BusAdmin {
  return {
    async topics() {
      bus.checkOpen()
      return [...bus.log.index.topics.values()].map(topicInfo).sort((a, b) => compare(a.topic, b.topic))
    },
    async groups() {
      bus.checkOpen()
      const infos: GroupInfo[] = []
      for (const feed of bus.feeds.values()) {
        infos.push({
          group: feed.group,
          topic: feed.topic.name,
          committedOffset: BigInt(feed.committed),
          lag: BigInt(feed.lag),
          deadLetters: bus.letters.count(feed.group, feed.topic.name),
          active: feed.active,
        })
      }
      return infos.sort((a, b) => compare(a.group, b.group) || compare(a.topic, b.topic))
    },
    async deadLetters(query) {
      bus.checkOpen()
      return bus.letters.page(query)
    },
    async replay(selection: DeadLetterSelection) {
      bus.checkOpen()
      // Taken out at once, so that a second replay of the same letters finds none.
      const letters = bus.letters.select(selection).map((letter) => ({ ...letter, replaying: true }))
      const before = letters.map((letter) => ({ ...letter, replaying: false }))
      for (const letter of letters) bus.letters.put(letter)
      try {
        await bus.write(letters.map(letterChange))
      } catch (error) {
        for (const letter of before) bus.letters.put(letter)
        throw error
      }
      for (const letter of letters) {
        const feed = bus.feedOf(letter)
        feed.replay(letter)
        feed.dispatch()
      }
      return letters.length
    },
    async drop(selection: DeadLetterSelection) {
      bus.checkOpen()
      const letters = bus.letters.select(selection)
      for (const { seq } of letters) bus.letters.remove(seq)
      try {
        await bus.write(letters.map(({ seq }) => ({ kind: 'letter_end', seq })))
      } catch (error) {
        for (const letter of letters) bus.letters.put(letter)
        throw error
      }
      return letters.length
    },
    tail: (query) => tail(bus, query),
  }
}

function topicInfo(topic: Topic): TopicInfo {
  let bytes = 0
  for (const part of topic.parts) bytes += part.bytes
  return { topic: topic.name, firstOffset: BigInt(firstOffset(topic)), nextOffset: BigInt(topic.next), bytes }
}

async function* tail(bus: BusInside, query: TailQuery): AsyncGenerator<Message, void, undefined> {
  bus.checkOpen()
  if (!isTopic(query.topic)) throw messagingFault('messaging.invalid_query', 'Cannot tail: that is not a topic')
  const topic = bus.log.topic(query.topic)
  let offset = startOf(topic, query.from ?? 'latest')
  let position: number | undefined
  while (!query.signal?.aborted) {
    if (offset >= topic.next) {
      await nextBatch(bus, query.signal)
      continue
    }
    const read = await bus.log.readFrom(topic, { offset, position })
    bus.checkOpen()
    position = read?.position
    if (read === undefined) offset = topic.next
    for (const located of read?.found ?? []) {
      if (query.signal?.aborted) return
      yield located.message
      offset = located.offset + 1
    }
    // At the end the place to go on is found by offset again: the segment may be gone by then.
    if (offset >= topic.next) position = undefined
  }
}

function startOf(topic: Topic, from: 'earliest' | 'latest' | bigint): number {
  if (from === 'latest') return topic.next
  if (from === 'earliest') return firstOffset(topic)
  if (from < 0n) throw messagingFault('messaging.invalid_query', `Cannot tail from offset ${from}: it is below 0`)
  return Number(from)
}

/** Resolves at the next durable batch, or when the signal aborts. @throws PlatformError `messaging.closed`. */
async function nextBatch(bus: BusInside, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  bus.batchListeners.add(resolve)
  signal?.addEventListener('abort', resolve as () => void, { once: true })
  try {
    await promise
  } finally {
    bus.batchListeners.delete(resolve)
    signal?.removeEventListener('abort', resolve as () => void)
  }
  bus.checkOpen()
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
