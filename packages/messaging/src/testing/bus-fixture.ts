import { createIds, createSystemRandom, systemClock } from '@plinth/base'
import type { Bus, Message, NewMessage } from '../bus.ts'

/** A bus under test. Disposing it closes whatever stands behind it too. */
export interface BusFixture extends AsyncDisposable {
  readonly bus: Bus
  /** Closes the bus in good order and opens it again on what it left. Needed when the capability is `true`. */
  restart?(): Promise<Bus>
}

/** What an adapter cannot do, with the reason; the suite prints it instead of a result. */
export type Capability = true | { readonly because: string }

/** What a bus cannot do, by name and with the reason; everything else is tested. */
export interface BusCapabilities {
  /** Whether messages, progress and dead letters outlive a restart. */
  readonly durable: Capability
}

const ids = createIds({ clock: systemClock, random: createSystemRandom() })

/** A message with defaults for what a test does not care about. */
export function newMessage(fields: Partial<NewMessage> = {}): NewMessage {
  return {
    topic: 'orders.order',
    key: 'one',
    id: ids.next(),
    type: 'order_placed',
    headers: {},
    payload: new Uint8Array(),
    timeMs: 1_767_225_600_000,
    ...fields,
  }
}

/** Messages of one key whose payloads count from 0. */
export function numbered(key: string, count: number, topic = 'orders.order'): NewMessage[] {
  return Array.from({ length: count }, (_, n) => newMessage({ topic, key, payload: Buffer.from(String(n)) }))
}

/** The number in the payload of a message made by {@link numbered}. */
export function numberOf(message: Pick<Message, 'payload'>): number {
  return Number(Buffer.from(message.payload).toString())
}

/** Gathers what a handler saw and lets a test wait for it. */
export class Heard {
  readonly messages: Message[] = []
  readonly #waiting: { readonly enough: () => boolean; readonly resolve: () => void }[] = []

  readonly handler = async (message: Message): Promise<void> => {
    this.add(message)
  }

  add(message: Message): void {
    this.messages.push(message)
    for (const waiting of this.#waiting) if (waiting.enough()) waiting.resolve()
  }

  /** Resolves when so many messages were heard. */
  async count(count: number): Promise<readonly Message[]> {
    await this.until(() => this.messages.length >= count)
    return this.messages
  }

  /** Resolves when `enough` holds; it is asked after every message. */
  until(enough: () => boolean): Promise<void> {
    if (enough()) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ enough, resolve })
    return promise
  }

  /** The numbers heard of a key, in order. */
  of(key: string): number[] {
    return this.messages.filter((message) => message.key === key).map(numberOf)
  }
}

/** Asks until `holds` answers true: for what becomes true a moment after the last thing a test can wait for. */
export async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve))
}
