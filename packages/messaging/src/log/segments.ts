import type { Disk, DiskFile } from '../disk.ts'
import { messagingFault } from '../faults.ts'
import { checkRecord, markKind, recordHeaderBytes, recordShort } from './record.ts'
import type { RecordBatch } from './record-batch.ts'
import { recoverSegment, segmentHeader, segmentHeaderBytes } from './recovery.ts'

/** One file of a log: the positions from `base` up to `base + size`. */
export interface Segment {
  readonly base: number
  readonly path: string
  readonly file: DiskFile
  /** Bytes that are durable, the header included. */
  size: number
}

/** Hears of a record: its body is `buffer[from, to)`, and it starts at `position`. It must not throw. */
export type RecordVisitor = (buffer: Buffer, body: { from: number; to: number; position: number }) => void

export interface SegmentsOptions {
  readonly disk: Disk
  readonly folder: string
  /** A segment that has reached this size is followed by the next. */
  readonly segmentBytes: () => number
  /** Longest body of a record. */
  readonly bodyBytesMax: number
  /** Hears of every record of the last segment while the log is opened. */
  readonly onRecovered: RecordVisitor
  /** Hears of bytes that were cut off the end because their write never completed. */
  readonly onRepaired?: (repair: { readonly path: string; readonly at: number; readonly bytes: number }) => void
}

/** An append-only log over size-bounded files. Positions grow for ever; a position names its file and place in it. */
export class Segments {
  readonly #options: SegmentsOptions
  readonly #all: Segment[]
  #broken = false
  #rolling = false

  private constructor(options: SegmentsOptions, all: Segment[]) {
    this.#options = options
    this.#all = all
  }

  /**
   * Opens the log, repairing a torn end.
   * @throws PlatformError `messaging.log_corrupt` when what is damaged had been acknowledged.
   */
  static async open(options: SegmentsOptions): Promise<Segments> {
    const { disk, folder } = options
    await disk.makeFolder(folder)
    const names = (await disk.list(folder)).filter((name) => /^\d{20}\.log$/.test(name)).sort()
    const all: Segment[] = []
    for (const name of names) {
      const path = `${folder}/${name}`
      const file = await disk.open(path)
      all.push({ base: Number(name.slice(0, 20)), path, file, size: await file.size() })
    }
    const segments = new Segments(options, all)
    try {
      await segments.#recover()
    } catch (error) {
      await segments.close()
      throw error
    }
    return segments
  }

  /** The oldest first; the last one is being written. */
  get all(): readonly Segment[] {
    return this.#all
  }

  /** Position after the last durable record. */
  get end(): number {
    const last = this.#all.at(-1) as Segment
    return last.base + last.size
  }

  get bytes(): number {
    return this.end - (this.#all[0] as Segment).base
  }

  /** Whether the next append begins a new segment. */
  rollsBefore(bytes: number): boolean {
    const last = this.#all.at(-1) as Segment
    return last.size > segmentHeaderBytes && last.size + bytes > this.#options.segmentBytes()
  }

  /**
   * Writes a batch and syncs it; answers its position. One call at a time. When it throws, nothing of the batch is
   * visible, and the next call first clears what a failed write left.
   */
  async append(batch: RecordBatch<unknown>): Promise<number> {
    if (this.#broken || this.#rolling || this.rollsBefore(batch.length)) await this.#roll()
    const segment = this.#all.at(-1) as Segment
    const position = this.end
    batch.seal(position)
    this.#broken = true
    await segment.file.write(batch.buffer.subarray(0, batch.length), segment.size)
    await segment.file.sync()
    this.#broken = false
    segment.size += batch.length
    return position
  }

  /**
   * Reads records from `position` on, about `bytesMax` of them and at least one; answers where to go on. At the end
   * it answers `end`.
   * @throws PlatformError `messaging.log_corrupt` naming file and offset.
   */
  async read(position: number, options: { bytesMax: number; visit: RecordVisitor }): Promise<number> {
    const segment = this.#find(position)
    if (segment === undefined) return this.end
    const start = Math.max(position - segment.base, segmentHeaderBytes)
    let want = Math.min(options.bytesMax, segment.size - start)
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(want)
      const got = await segment.file.read(buffer, start)
      const used = visitRecords(buffer, {
        end: got,
        position: segment.base + start,
        bodyBytesMax: this.#options.bodyBytesMax,
        visit: options.visit,
      })
      if (used > 0) return segment.base + start + used
      const needed = got >= recordHeaderBytes ? recordHeaderBytes + buffer.readUInt32LE(4) : recordHeaderBytes
      if (got < want || needed <= want || needed > segment.size - start || used < 0) {
        throw corrupt(segment.path, start)
      }
      want = needed
    }
  }

  /** Deletes the oldest segment; never the last. */
  async retire(): Promise<void> {
    const [oldest] = this.#all
    if (oldest === undefined || this.#all.length < 2) return
    this.#all.shift()
    await oldest.file.close()
    await this.#options.disk.remove(oldest.path)
  }

  async close(): Promise<void> {
    for (const segment of this.#all) await segment.file.close()
  }

  #find(position: number): Segment | undefined {
    if (position >= this.end) return undefined
    let low = 0
    let high = this.#all.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#all[middle] as Segment).base <= position) low = middle
      else high = middle - 1
    }
    return this.#all[low]
  }

  async #recover(): Promise<void> {
    const last = this.#all.at(-1)
    if (last === undefined) {
      await this.#create(0)
      return
    }
    for (let index = 0; index + 1 < this.#all.length; index++) {
      const [one, next] = this.#all.slice(index, index + 2) as [Segment, Segment]
      if (one.base + one.size !== next.base) throw corrupt(one.path, Math.min(one.size, next.base - one.base))
    }
    last.size = await recoverSegment(last, this.#options)
  }

  async #create(base: number): Promise<void> {
    const { disk, folder } = this.#options
    const path = `${folder}/${String(base).padStart(20, '0')}.log`
    const file = await disk.open(path)
    try {
      await file.truncate(0)
      await file.write(segmentHeader(base), 0)
      await file.sync()
      await disk.syncFolder(folder)
    } catch (error) {
      await file.close().catch(() => {})
      await disk.remove(path).catch(() => {})
      throw error
    }
    this.#all.push({ base, path, file, size: segmentHeaderBytes })
    this.#rolling = false
  }

  /** Begins a new segment. What a failed write or sync left behind the durable end of the old one is cut off first. */
  async #roll(): Promise<void> {
    const last = this.#all.at(-1) as Segment
    if (this.#broken) {
      await last.file.truncate(last.size)
      await last.file.sync()
      this.#broken = false
      // After a failed sync the kernel may have dropped pages of this file: it is not written again.
      this.#rolling = last.size > segmentHeaderBytes
      if (!this.#rolling) return
    }
    await this.#create(last.base + last.size)
  }
}

/** Visits the records at the start of `buffer`; answers how many bytes they take, or -1 if the first one is bad. */
function visitRecords(
  buffer: Buffer,
  options: { end: number; position: number; bodyBytesMax: number; visit: RecordVisitor },
): number {
  const { end, position, bodyBytesMax, visit } = options
  let at = 0
  while (at < end) {
    const bodyBytes = checkRecord(buffer, { at, position: position + at, end, bodyBytesMax })
    if (bodyBytes === recordShort) break
    if (bodyBytes < 0) return at === 0 ? -1 : at
    const from = at + recordHeaderBytes
    if (buffer[from] !== markKind) visit(buffer, { from, to: from + bodyBytes, position: position + at })
    at = from + bodyBytes
  }
  return at
}

function corrupt(path: string, offset: number): Error {
  return messagingFault('messaging.log_corrupt', `Cannot read the log: ${path} is damaged at byte ${offset}`, {
    details: { file: path, offset },
  })
}
