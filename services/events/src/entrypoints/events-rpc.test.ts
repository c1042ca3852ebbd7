import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import type { Bus } from '@plinth/messaging'
import type { CallContext } from '@plinth/rpc'
import { EventsService } from '../../contract/index.ts'
import { createEventsRpc } from './events-rpc.ts'

const topics = ['a.a', 'b.b', 'c.c'].map((topic) => ({ topic, firstOffset: 0n, nextOffset: 1n, bytes: 1 }))
const refused = new PlatformError('no', { kind: 'invalid', code: 'messaging.invalid_query' })
const bus = { admin: { topics: async () => topics, deadLetters: () => Promise.reject(refused) } } as unknown as Bus
const rpc = createEventsRpc(bus)
const context = {} as CallContext

async function list(pageToken: string) {
  const request = create(EventsService.method.listTopics.input, { pageSize: 2, pageToken })
  return await rpc.listTopics(request, context)
}

function namesThePage(error: unknown): boolean {
  return (
    PlatformError.is(error) &&
    error.code === 'rpc.page_token_invalid' &&
    error.details.violations?.[0]?.field === 'pageToken'
  )
}

describe('events rpc', () => {
  it('listTopics() gives every topic once, page by page', async () => {
    const first = await list('')
    const second = await list(first.nextPageToken ?? '')
    assert.deepEqual(
      [...(first.topics ?? []), ...(second.topics ?? [])].map(({ topic }) => topic),
      ['a.a', 'b.b', 'c.c'],
    )
    assert.equal(second.nextPageToken, '')
  })

  it('listTopics() refuses a token it never gave, by name', async () => {
    for (const token of ['x', '!', 'AAAA', 'YS5h=', ' ', '_w']) await assert.rejects(list(token), namesThePage, token)
  })

  it('listDeadLetters() refuses a token that the bus never gave, by name', async () => {
    const request = create(EventsService.method.listDeadLetters.input, { pageToken: 'x' })
    await assert.rejects(rpc.listDeadLetters(request, context) as Promise<unknown>, namesThePage)
  })
})
