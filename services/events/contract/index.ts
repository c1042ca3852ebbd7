/**
 * What others may know of the events service: its messages and the contract to call it by.
 * @module
 */

/** What is written in these contracts, for the API reference. */
export { default as eventsComments } from './gen/comments.json' with { type: 'json' }

import { defineContract } from '@plinth/rpc/client'
import { EventsService } from './gen/plinth/events/v1/events_pb.ts'

export {
  type ConsumeRequest,
  ConsumeRequestSchema,
  type ConsumeResponse,
  ConsumeResponseSchema,
  type Delivery,
  type Event,
  EventSchema,
  EventsService,
  type Nack,
  Start,
} from './gen/plinth/events/v1/events_pb.ts'

/** Messages between services. */
export const eventsContract = defineContract('events.events', EventsService)
