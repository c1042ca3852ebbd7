import { crc32 } from 'node:zlib'

/**
 * A record on disk, numbers little endian:
 *
 * | bytes | what |
 * |---|---|
 * | 0-3 | CRC-32 (zlib) of everything that follows in the record |
 * | 4-7 | length of the body |
 * | 8-15 | position of the record in the log, so that a stale or misplaced record is never taken for a true one |
 * | 16- | body; its first byte is its kind |
 */
export const recordHeaderBytes = 16

/** Kind of the record that leads every write: it carries the position up to which the log was durable before. */
export const markKind = 0

/** Body of a mark: kind, then the durable end as a 64-bit number. */
export const markBodyBytes = 9

/** Why {@link checkRecord} answers with something below 0. */
export const recordShort = -1
export const recordBad = -2

/** Writes a 64-bit number that is a safe integer. */
export function writeUint64(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32LE(value % 0x1_0000_0000, at)
  buffer.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4)
}

/** Reads a 64-bit number; what exceeds 2^53 is no longer exact and fails every comparison it is used in. */
export function readUint64(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 0x1_0000_0000
}

/** Completes the header of a record whose body is in place. */
export function sealRecord(buffer: Buffer, record: { at: number; bodyBytes: number; position: number }): void {
  const { at, bodyBytes, position } = record
  buffer.writeUInt32LE(bodyBytes, at + 4)
  writeUint64(buffer, position, at + 8)
  buffer.writeUInt32LE(crc32(buffer.subarray(at + 4, at + recordHeaderBytes + bodyBytes)), at)
}

/**
 * Checks the record that should start at `at` of `buffer` and have the position `position` in the log. Answers the
 * length of its body, `recordShort` when `buffer` ends before the record does, or `recordBad`.
 */
export function checkRecord(
  buffer: Buffer,
  expected: { at: number; position: number; end: number; bodyBytesMax: number },
): number {
  const { at, position, end, bodyBytesMax } = expected
  if (end - at < recordHeaderBytes) return recordShort
  const bodyBytes = buffer.readUInt32LE(at + 4)
  // Checked before the length is believed: a torn header must not make the reader wait for gigabytes.
  if (bodyBytes < 1 || bodyBytes > bodyBytesMax || readUint64(buffer, at + 8) !== position) return recordBad
  const recordEnd = at + recordHeaderBytes + bodyBytes
  if (recordEnd > end) return recordShort
  if (crc32(buffer.subarray(at + 4, recordEnd)) !== buffer.readUInt32LE(at)) return recordBad
  return bodyBytes
}
