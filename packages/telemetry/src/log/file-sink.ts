/**
 * A sink that appends to a file. It has a subpath of its own, so that whoever only logs opens no files.
 * @module
 */
import { closeSync, openSync } from 'node:fs'
import type { LogSink } from './sink.ts'
import { StreamSink, type StreamSinkOptions } from './stream-sink.ts'

/** A sink with a file of its own. Disposing it flushes and closes the file. */
export interface FileSink extends LogSink {
  /**
   * Goes on in a new file of the same name, after `mv` by a rotation; lines taken before go to the old one.
   * @throws what the system says if the file cannot be opened; the old one then stays in use.
   */
  reopen(): Promise<void>
}

/**
 * Opens `path` for appending, making it if it is missing (mode 0640), never its folder. Loss policy and bounds are
 * those of `createStreamSink`. Lines are handed to the operating system, not forced to the disk: they survive the end
 * of the process, not that of the machine.
 *
 * @throws what the system says if the file cannot be opened.
 */
export function createFileSink(path: string, options: StreamSinkOptions = {}): FileSink {
  return new AppendingSink(path, options)
}

class AppendingSink implements FileSink {
  readonly #path: string
  readonly #options: StreamSinkOptions
  #fd: number
  #stream: StreamSink
  #droppedBefore = 0
  #listener: (lost: number) => void = () => {}

  constructor(path: string, options: StreamSinkOptions) {
    this.#path = path
    this.#options = options
    this.#fd = openSync(path, 'a', 0o640)
    this.#stream = new StreamSink(this.#fd, options)
  }

  get dropped(): number {
    return this.#droppedBefore + this.#stream.dropped
  }

  write(line: string): void {
    this.#stream.write(line)
  }

  flush(): Promise<void> {
    return this.#stream.flush()
  }

  flushSync(): void {
    this.#stream.flushSync()
  }

  onLoss(listener: (lost: number) => void): void {
    this.#listener = listener
    this.#stream.onLoss(listener)
  }

  async reopen(): Promise<void> {
    const fd = openSync(this.#path, 'a', 0o640)
    const former = { fd: this.#fd, stream: this.#stream }
    this.#fd = fd
    this.#stream = new StreamSink(fd, this.#options)
    this.#stream.onLoss(this.#listener)
    await former.stream[Symbol.asyncDispose]()
    this.#droppedBefore += former.stream.dropped
    closeSync(former.fd)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#fd < 0) return
    const fd = this.#fd
    this.#fd = -1
    await this.#stream[Symbol.asyncDispose]()
    closeSync(fd)
  }
}
