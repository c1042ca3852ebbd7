import { isUuid } from '@plinth/base'
import type { NewMessage } from './bus.ts'
import { messagingFault } from './faults.ts'

/** What one publish may hold. */
export interface MessageLimits {
  /** Largest payload of one message. 1 to 64 MiB. @default 1 MiB */
  readonly payloadBytesMax: number
  /** Most messages of one publish. @default 10000 */
  readonly batchMessagesMax: number
  /** Most payload bytes of one publish. @default 16 MiB, never less than `payloadBytesMax` */
  readonly batchBytesMax: number
}

const defaultLimits: MessageLimits = {
  payloadBytesMax: 1 << 20,
  batchMessagesMax: 10_000,
  batchBytesMax: 16 << 20,
}

/** Fills in what is missing and checks the bounds. */
export function resolveLimits(limits: Partial<MessageLimits> = {}): MessageLimits {
  const all = { ...defaultLimits, ...limits }
  const resolved = { ...all, batchBytesMax: Math.max(all.batchBytesMax, all.payloadBytesMax) }
  if (!(resolved.payloadBytesMax >= 1 && resolved.payloadBytesMax <= 64 << 20)) {
    throw new RangeError(`Cannot take payloads of ${resolved.payloadBytesMax} bytes: payloadBytesMax is 1 to 64 MiB`)
  }
  if (!(resolved.batchMessagesMax >= 1 && resolved.batchMessagesMax <= 100_000)) {
    throw new RangeError(`Cannot take ${resolved.batchMessagesMax} messages at once: the bound is 1 to 100000`)
  }
  return resolved
}

const topicPattern = /^[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*$/
const nameLengthMax = 200
const headersMax = 32
const headerBytesMax = 16_384

/**
 * Refuses what the bus could not keep, before anything is written: one bad message refuses its whole batch.
 *
 * @throws PlatformError `messaging.invalid_message`, `messaging.payload_too_large`, `messaging.batch_too_large`.
 */
export function checkMessages(messages: readonly NewMessage[], limits: MessageLimits): void {
  if (messages.length > limits.batchMessagesMax) {
    throw messagingFault(
      'messaging.batch_too_large',
      `Cannot publish ${messages.length} messages at once: at most ${limits.batchMessagesMax} are taken`,
      { details: { limit: limits.batchMessagesMax, received: messages.length } },
    )
  }
  let bytes = 0
  for (const message of messages) {
    checkMessage(message, limits)
    bytes += message.payload.length
  }
  if (bytes > limits.batchBytesMax) {
    throw messagingFault(
      'messaging.batch_too_large',
      `Cannot publish ${bytes} bytes at once: at most ${limits.batchBytesMax} are taken`,
      { details: { limit: limits.batchBytesMax, received: bytes } },
    )
  }
}

function checkMessage(message: NewMessage, limits: MessageLimits): void {
  if (!isTopic(message.topic)) refuse('topic', 'dotted lower-case words of up to 200 characters', message.topic)
  if (!isText(message.key, nameLengthMax)) refuse('key', 'text of up to 200 characters', message.key)
  if (!isUuid(message.id)) refuse('id', 'a UUID in lower case', message.id)
  if (message.type.length === 0 || !isText(message.type, nameLengthMax)) {
    refuse('type', 'text of 1 to 200 characters', message.type)
  }
  if (!Number.isSafeInteger(message.timeMs) || message.timeMs < 0) {
    refuse('timeMs', 'whole milliseconds since 1970', String(message.timeMs))
  }
  checkHeaders(message.headers)
  if (message.payload.length > limits.payloadBytesMax) {
    throw messagingFault(
      'messaging.payload_too_large',
      `Cannot publish a payload of ${message.payload.length} bytes: at most ${limits.payloadBytesMax} are taken`,
      { details: { limit: limits.payloadBytesMax, received: message.payload.length, id: message.id } },
    )
  }
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  let count = 0
  let size = 0
  for (const name in headers) {
    const value = headers[name] as string
    count++
    size += name.length + value.length
    if (name.length === 0 || name === '__proto__' || !name.isWellFormed() || !value.isWellFormed())
      refuse('headers', 'well-formed text', name)
  }
  if (count > headersMax) refuse('headers', `at most ${headersMax} of them`, String(count))
  if (size > headerBytesMax) refuse('headers', `at most ${headerBytesMax} characters together`, String(size))
}

/** Whether `topic` is dotted lower-case words of at most 200 characters. */
export function isTopic(topic: string): boolean {
  return topic.length <= nameLengthMax && topicPattern.test(topic)
}

/** Whether `value` is well-formed text of at most `lengthMax` UTF-16 units. */
function isText(value: string, lengthMax: number): boolean {
  return value.length <= lengthMax && value.isWellFormed()
}

function refuse(field: string, expected: string, received: string): never {
  throw messagingFault(
    'messaging.invalid_message',
    `Cannot publish a message: its ${field} must be ${expected}, received "${received.slice(0, 80)}"`,
    { details: { field } },
  )
}
