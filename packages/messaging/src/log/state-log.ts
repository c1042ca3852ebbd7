import type { Disk } from '../disk.ts'
import { GroupCommit } from './group-commit.ts'
import type { RecordBatch } from './record-batch.ts'
import { Segments, type SegmentsOptions } from './segments.ts'

/** Kind of the records of the state log: the rest of the body is JSON in UTF-8. */
const stateKind = 2
const segmentBytesMin = 4 << 20
const bodyBytesMax = 256 << 20

export interface StateLogOptions<Change> {
  readonly disk: Disk
  readonly folder: string
  /** Hears of every change of earlier runs, in order, while the log is opened. */
  readonly onRecovered: (change: Change) => void
  /** The whole state as changes; written when a new segment begins, so that the ones before it can go. */
  readonly snapshot: () => Iterable<Change>
  /** About how large the snapshot is; a segment holds several of them, so that writing one stays rare. */
  readonly snapshotBytes: () => number
  readonly onRepaired?: SegmentsOptions['onRepaired']
}

/**
 * A small log of changes to a state that fits into memory. Every change is absolute ("group g has handled so much"),
 * so repeating one or losing what a later one says again does no harm.
 */
export class StateLog<Change> {
  readonly #options: StateLogOptions<Change>
  readonly #segments: Segments
  readonly #commits: GroupCommit<undefined>
  #compacting = false

  private constructor(options: StateLogOptions<Change>, segments: Segments) {
    this.#options = options
    this.#segments = segments
    this.#commits = new GroupCommit({
      prepare: () => {},
      append: (batch) => segments.append(batch),
      committed: () => this.#compact(),
      refused: (_batch, error) => error,
    })
  }

  static async open<Change>(options: StateLogOptions<Change>): Promise<StateLog<Change>> {
    const recovered = (buffer: Buffer, body: { from: number; to: number }) =>
      options.onRecovered(JSON.parse(buffer.toString('utf8', body.from + 1, body.to)))
    const last: Change[] = []
    const segments = await Segments.open({
      disk: options.disk,
      folder: options.folder,
      segmentBytes: () => Math.max(segmentBytesMin, 4 * options.snapshotBytes()),
      bodyBytesMax,
      onRecovered: (buffer, body) => last.push(JSON.parse(buffer.toString('utf8', body.from + 1, body.to))),
      ...(options.onRepaired ? { onRepaired: options.onRepaired } : {}),
    })
    const newest = segments.all.at(-1)?.base ?? 0
    let position = segments.all[0]?.base ?? 0
    while (position < newest) position = await segments.read(position, { bytesMax: 1 << 20, visit: recovered })
    for (const change of last) options.onRecovered(change)
    return new StateLog(options, segments)
  }

  /** Resolves when the changes are durable. */
  write(changes: readonly Change[]): Promise<void> {
    stage(this.#commits.open, changes)
    return this.#commits.commit()
  }

  async close(): Promise<void> {
    await this.#commits.idle()
    await this.#segments.close()
  }

  #compact(): void {
    if (this.#compacting || this.#segments.all.length < 2) return
    this.#compacting = true
    const from = this.#segments.end
    this.write([...this.#options.snapshot()])
      .then(async () => {
        // The snapshot lies at or after `from`, so every segment that ends before it has nothing left to say.
        while (this.#segments.all.length > 1 && (this.#segments.all[1]?.base ?? Infinity) <= from) {
          await this.#segments.retire()
        }
      })
      // A snapshot that could not be written or a file that could not go: the next commit tries again.
      .catch(() => {})
      .finally(() => {
        this.#compacting = false
      })
  }
}

function stage<Change>(batch: RecordBatch<undefined>, changes: readonly Change[]): void {
  for (const change of changes) {
    const json = JSON.stringify(change)
    const bytes = Buffer.byteLength(json)
    const at = batch.add(1 + bytes, undefined)
    batch.buffer[at] = stateKind
    batch.buffer.write(json, at + 1)
  }
}
