import { crc32 } from 'node:zlib'
import type { Disk, DiskFile } from '../disk.ts'
import { messagingFault } from '../faults.ts'
import {
  checkRecord,
  markBodyBytes,
  markKind,
  readUint64,
  recordHeaderBytes,
  recordShort,
  writeUint64,
} from './record.ts'

/**
 * A segment begins with 32 bytes: "PLINTHL1", its base position (64 bits, little endian), the CRC-32 of those 16
 * bytes, and zeros.
 */
export const segmentHeaderBytes = 32
const magic = 'PLINTHL1'
const chunkBytes = 1 << 20
const backupsKept = 4

export function segmentHeader(base: number): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes)
  header.write(magic, 0, 'latin1')
  writeUint64(header, base, 8)
  header.writeUInt32LE(crc32(header.subarray(0, 16)), 16)
  return header
}

interface Recoverable {
  readonly base: number
  readonly path: string
  readonly file: DiskFile
  readonly size: number
}

interface RecoveryOptions {
  readonly disk: Disk
  readonly folder: string
  readonly bodyBytesMax: number
  readonly onRecovered: (buffer: Buffer, body: { from: number; to: number; position: number }) => void
  readonly onRepaired?: (repair: { readonly path: string; readonly at: number; readonly bytes: number }) => void
}

/**
 * Reads the last segment of a log record by record and answers where its sound part ends. What follows is cut off,
 * after a copy was put aside, provided that it was never acknowledged: a later mark that calls it durable proves
 * that it was, and then nothing is touched.
 *
 * @throws PlatformError `messaging.log_corrupt`.
 */
export async function recoverSegment(segment: Recoverable, options: RecoveryOptions): Promise<number> {
  const sound = await soundBytes(segment, options)
  if (sound === segment.size && sound > 0) return sound
  const durable = await lastDurableMark(segment, sound)
  if (durable > segment.base + sound) {
    throw messagingFault('messaging.log_corrupt', `Cannot open the log: ${segment.path} is damaged at byte ${sound}`, {
      details: { file: segment.path, offset: sound },
    })
  }
  if (segment.size > sound) {
    await cutOff(segment, { sound, options })
    options.onRepaired?.({ path: segment.path, at: sound, bytes: segment.size - sound })
  }
  if (sound > 0) return sound
  // The file was made and not yet begun.
  await segment.file.write(segmentHeader(segment.base), 0)
  await segment.file.sync()
  return segmentHeaderBytes
}

async function soundBytes(segment: Recoverable, options: RecoveryOptions): Promise<number> {
  const header = Buffer.alloc(segmentHeaderBytes)
  if ((await segment.file.read(header, 0)) < segmentHeaderBytes) return 0
  if (!header.equals(segmentHeader(segment.base))) return 0
  let start = segmentHeaderBytes
  let want = chunkBytes
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(want, segment.size - start))
    const end = await segment.file.read(buffer, start)
    let at = 0
    while (at < end) {
      const position = segment.base + start + at
      const bodyBytes = checkRecord(buffer, { at, position, end, bodyBytesMax: options.bodyBytesMax })
      if (bodyBytes === recordShort) break
      if (bodyBytes < 0) return start + at
      const from = at + recordHeaderBytes
      if (buffer[from] !== markKind) options.onRecovered(buffer, { from, to: from + bodyBytes, position })
      at = from + bodyBytes
    }
    // Nothing fitted: the record is longer than the chunk, or than what is left of the file.
    if (at === 0 && end === segment.size - start) return start
    want = at === 0 ? want * 2 : chunkBytes
    start += at
  }
}

/** The furthest durable end that a mark after `from` speaks of; 0 without one. */
async function lastDurableMark(segment: Recoverable, from: number): Promise<number> {
  const markBytes = recordHeaderBytes + markBodyBytes
  let durable = 0
  for (let start = from; start + markBytes <= segment.size; start += chunkBytes - markBytes + 1) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, segment.size - start))
    const end = await segment.file.read(buffer, start)
    for (let at = 0; at + markBytes <= end; at++) {
      if (buffer[at + 4] !== markBodyBytes || buffer[at + recordHeaderBytes] !== markKind) continue
      const position = segment.base + start + at
      if (checkRecord(buffer, { at, position, end, bodyBytesMax: markBodyBytes }) !== markBodyBytes) continue
      durable = Math.max(durable, readUint64(buffer, at + recordHeaderBytes + 1))
    }
  }
  return durable
}

async function cutOff(segment: Recoverable, cut: { sound: number; options: RecoveryOptions }): Promise<void> {
  const { disk, folder } = cut.options
  const backup = await disk.open(`${segment.path}.torn-${String(cut.sound).padStart(12, '0')}`)
  try {
    await backup.truncate(0)
    for (let start = cut.sound; start < segment.size; start += chunkBytes) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, segment.size - start))
      await segment.file.read(buffer, start)
      await backup.write(buffer, start - cut.sound)
    }
    await backup.sync()
  } finally {
    await backup.close()
  }
  const backups = (await disk.list(folder)).filter((name) => name.includes('.torn-')).sort()
  for (const name of backups.slice(0, -backupsKept)) await disk.remove(`${folder}/${name}`)
  await disk.syncFolder(folder)
  await segment.file.truncate(cut.sound)
  await segment.file.sync()
}
