import type { MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt'
import type { Message, NewMessage } from '@plinth/messaging'
import type { Event, EventSchema } from '../../contract/index.ts'

type EventInit = MessageInitShape<typeof EventSchema>

/** A message on its way to the bus, or from it, as the contract has it. */
export function toEvent(message: NewMessage & { readonly offset?: bigint }): EventInit {
  const { topic, key, id, type, headers, payload, timeMs, offset } = message
  return {
    topic,
    key,
    id,
    type,
    headers: { ...headers },
    // Not a Buffer and not the caller's own: it may go over the wire later.
    payload: new Uint8Array(payload),
    time: timestampFromMs(timeMs),
    offset: offset ?? 0n,
  }
}

/** The message of an event; one without a time gets none that the bus would take. */
export function fromEvent(event: Event): Message {
  const { topic, key, id, type, headers, payload, time, offset } = event
  return { topic, key, id, type, headers, payload, offset, timeMs: time === undefined ? Number.NaN : timestampMs(time) }
}
