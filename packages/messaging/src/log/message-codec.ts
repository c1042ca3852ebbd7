import type { Message, NewMessage } from '../bus.ts'
import { readUint64, writeUint64 } from './record.ts'

/**
 * The body of a message record, numbers little endian, text in UTF-8:
 *
 * | bytes | what |
 * |---|---|
 * | 0 | kind, 1 |
 * | 1 | number of headers |
 * | 2-9 | offset in its topic |
 * | 10-17 | `timeMs` |
 * | 18-19, 20-21, 22-23, 24-25 | lengths of topic, key, id, type |
 * | 26-29 | length of all headers together |
 * | 30- | topic, key, id, type; each header as 16-bit length, name, 16-bit length, value; the payload is the rest |
 */
const messageKind = 1
const fixedBytes = 30

/** How many bytes {@link writeMessage} will write. */
export function messageBytes(message: NewMessage): number {
  const { topic, key, id, type, headers, payload } = message
  const text = topic.length + Buffer.byteLength(key) + id.length + Buffer.byteLength(type)
  return fixedBytes + text + headersBytes(headers) + payload.length
}

/** Writes the body at `at`, with offset 0; {@link writeOffset} puts the true one in once it is known. */
export function writeMessage(buffer: Buffer, message: NewMessage, at: number): void {
  buffer[at] = messageKind
  writeUint64(buffer, 0, at + 2)
  writeUint64(buffer, message.timeMs, at + 10)
  let end = at + fixedBytes
  end += writeLength16(buffer, buffer.write(message.topic, end, 'latin1'), at + 18)
  end += writeLength16(buffer, buffer.write(message.key, end), at + 20)
  end += writeLength16(buffer, buffer.write(message.id, end, 'latin1'), at + 22)
  end += writeLength16(buffer, buffer.write(message.type, end), at + 24)
  const headersAt = end
  let count = 0
  for (const name in message.headers) {
    count++
    end += 2 + writeLength16(buffer, buffer.write(name, end + 2), end)
    end += 2 + writeLength16(buffer, buffer.write(message.headers[name] as string, end + 2), end)
  }
  buffer[at + 1] = count
  buffer.writeUInt32LE(end - headersAt, at + 26)
  buffer.set(message.payload, end)
}

export function writeOffset(buffer: Buffer, offset: number, bodyAt: number): void {
  writeUint64(buffer, offset, bodyAt + 2)
}

export function readOffset(buffer: Buffer, bodyAt: number): number {
  return readUint64(buffer, bodyAt + 2)
}

/** The topic of a message record without decoding the rest. */
export function readTopic(buffer: Buffer, bodyAt: number): string {
  const at = bodyAt + fixedBytes
  return buffer.toString('latin1', at, at + buffer.readUInt16LE(bodyAt + 18))
}

/** Decodes a body whose checksum was right. The payload is a view of `buffer`. */
export function readMessage(buffer: Buffer, from: number, to: number): Message {
  const keyAt = from + fixedBytes + buffer.readUInt16LE(from + 18)
  const idAt = keyAt + buffer.readUInt16LE(from + 20)
  const typeAt = idAt + buffer.readUInt16LE(from + 22)
  const headersAt = typeAt + buffer.readUInt16LE(from + 24)
  return {
    topic: buffer.toString('latin1', from + fixedBytes, keyAt),
    key: buffer.toString('utf8', keyAt, idAt),
    id: buffer.toString('latin1', idAt, typeAt),
    type: buffer.toString('utf8', typeAt, headersAt),
    headers: readHeaders(buffer, headersAt, buffer[from + 1] as number),
    payload: viewOf(buffer, headersAt + buffer.readUInt32LE(from + 26), to),
    timeMs: readUint64(buffer, from + 10),
    offset: BigInt(readOffset(buffer, from)),
  }
}

/** A plain view: a Buffer would come with methods that mean something else (`slice`). */
export function viewOf(buffer: Buffer, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset + from, to - from)
}

function readHeaders(buffer: Buffer, headersAt: number, count: number): Record<string, string> {
  const headers: Record<string, string> = {}
  let at = headersAt
  for (let left = count; left > 0; left--) {
    const nameEnd = at + 2 + buffer.readUInt16LE(at)
    const valueEnd = nameEnd + 2 + buffer.readUInt16LE(nameEnd)
    headers[buffer.toString('utf8', at + 2, nameEnd)] = buffer.toString('utf8', nameEnd + 2, valueEnd)
    at = valueEnd
  }
  return headers
}

function headersBytes(headers: Readonly<Record<string, string>>): number {
  let bytes = 0
  for (const name in headers) bytes += 4 + Buffer.byteLength(name) + Buffer.byteLength(headers[name] as string)
  return bytes
}

function writeLength16(buffer: Buffer, length: number, at: number): number {
  buffer.writeUInt16LE(length, at)
  return length
}
