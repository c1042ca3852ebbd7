import { markBodyBytes, markKind, recordHeaderBytes, sealRecord, writeUint64 } from './record.ts'

const firstBytes = 16_384

/**
 * Records gathered for one write. Bodies are encoded straight into the buffer that goes to the disk; positions and
 * checksums follow when the write starts, because only then it is known where it begins. `items` says what each
 * record is, in the caller's terms. Readers may keep views of the buffer: it is never used twice.
 */
export class RecordBatch<Item> {
  buffer: Buffer = Buffer.allocUnsafeSlow(firstBytes)
  /** Bytes used; the mark that leads the batch included. */
  length: number = recordHeaderBytes + markBodyBytes
  readonly items: Item[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  readonly #settled = Promise.withResolvers<void>()

  constructor() {
    // Whoever staged something awaits this too; a batch of nobody's is not a lost rejection.
    this.#settled.promise.catch(() => {})
  }

  /** Resolves when the batch is durable; rejects when nothing of it will be visible. */
  get settled(): Promise<void> {
    return this.#settled.promise
  }

  /** Makes room for a body and answers where it starts. Every byte of it must be written. */
  add(bodyBytes: number, item: Item): number {
    const at = this.length
    const end = at + recordHeaderBytes + bodyBytes
    if (end > this.buffer.length) this.#grow(end)
    this.#starts.push(at)
    this.#ends.push(end)
    this.items.push(item)
    this.length = end
    return at + recordHeaderBytes
  }

  /** Where record `index` starts in the buffer. */
  startOf(index: number): number {
    return this.#starts[index] as number
  }

  /** Where record `index` ends in the buffer. */
  endOf(index: number): number {
    return this.#ends[index] as number
  }

  /** Gives every record its position and checksum, for a write that begins at `position`. */
  seal(position: number): void {
    this.buffer[recordHeaderBytes] = markKind
    writeUint64(this.buffer, position, recordHeaderBytes + 1)
    sealRecord(this.buffer, { at: 0, bodyBytes: markBodyBytes, position })
    for (let index = 0; index < this.#starts.length; index++) {
      const at = this.startOf(index)
      sealRecord(this.buffer, { at, bodyBytes: this.endOf(index) - at - recordHeaderBytes, position: position + at })
    }
  }

  resolve(): void {
    this.#settled.resolve()
  }

  reject(reason: unknown): void {
    this.#settled.reject(reason)
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }
}
