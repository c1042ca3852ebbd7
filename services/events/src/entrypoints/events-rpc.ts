import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { PlatformError } from '@plinth/base'
import type { Bus, DeadLetterSelection, TailQuery } from '@plinth/messaging'
import { invalidRequest, pageTokenInvalid, type ServiceImplementation } from '@plinth/rpc'
import { type EventsService, Start } from '../../contract/index.ts'
import { fromEvent, toEvent } from '../wire/event-message.ts'
import { consume } from './consume.ts'

const pageSizeDefault = 20

/** The events service over a bus. */
export function createEventsRpc(bus: Bus): ServiceImplementation<typeof EventsService> {
  return {
    async listTopics(request) {
      const { page, nextPageToken } = pageOf(await bus.admin.topics(), request, ({ topic }) => topic)
      return { topics: page.map((topic) => ({ ...topic, bytes: BigInt(topic.bytes) })), nextPageToken }
    },
    async listGroups(request) {
      const { page, nextPageToken } = pageOf(
        await bus.admin.groups(),
        request,
        ({ group, topic }) => `${group} ${topic}`,
      )
      return { groups: [...page], nextPageToken }
    },
    async listDeadLetters({ group, topic, pageSize, pageToken }) {
      const query = {
        ...(group === '' ? {} : { group }),
        ...(topic === '' ? {} : { topic }),
        ...(pageToken === '' ? {} : { after: pageToken }),
        limit: pageSize || pageSizeDefault,
      }
      const page = await bus.admin.deadLetters(query).catch((error: unknown) => {
        // The token is the bus's own, so only the bus can tell that it is none; the limit is within its bounds here.
        throw PlatformError.is(error) && error.code === 'messaging.invalid_query' ? pageTokenInvalid() : error
      })
      const deadLetters = page.letters.map((letter) => ({
        id: letter.id,
        group: letter.group,
        event: toEvent(letter.message),
        attempts: letter.attempts,
        failure: letter.failure,
        diedAt: timestampFromMs(letter.diedAtMs),
      }))
      return { deadLetters, nextPageToken: page.next ?? '' }
    },
    replayDeadLetters: async (request) => ({ count: await bus.admin.replay(selectionOf(request)) }),
    dropDeadLetters: async (request) => ({ count: await bus.admin.drop(selectionOf(request)) }),
    async *tailTopic({ topic, start, fromOffset }, { signal }) {
      const from: TailQuery['from'] = fromOffset ?? (start === Start.EARLIEST ? 'earliest' : 'latest')
      for await (const message of bus.admin.tail({ topic, from, signal })) yield toEvent(message)
      signal.throwIfAborted()
    },
    async publish({ events }, { signal }) {
      await bus.publish(events.map(fromEvent), { signal })
      return {}
    },
    consume: (requests, context) => consume(bus, requests, context.signal),
  }
}

function selectionOf(request: {
  readonly ids: readonly string[]
  readonly group: string
  readonly topic: string
}): DeadLetterSelection {
  const { ids, group, topic } = request
  if (ids.length > 0) return { ids }
  if (group !== '') return { group, ...(topic === '' ? {} : { topic }) }
  throw invalidRequest('a selection of dead letters', [
    { field: 'ids', rule: 'selection', message: 'Expected ids or a group, received neither' },
  ])
}

/** One page of a list that is sorted by `nameOf`; the token is the last name. */
function pageOf<Item>(
  all: readonly Item[],
  request: { readonly pageSize: number; readonly pageToken: string },
  nameOf: (item: Item) => string,
): { readonly page: readonly Item[]; readonly nextPageToken: string } {
  const after = Buffer.from(request.pageToken, 'base64url').toString()
  if (Buffer.from(after).toString('base64url') !== request.pageToken || !/^[ -~]*$/.test(after))
    throw pageTokenInvalid()
  const size = request.pageSize || pageSizeDefault
  const rest = all.filter((item) => nameOf(item) > after)
  const page = rest.slice(0, size)
  const last = page.at(-1)
  const more = rest.length > size && last !== undefined
  return { page, nextPageToken: more ? Buffer.from(nameOf(last)).toString('base64url') : '' }
}
