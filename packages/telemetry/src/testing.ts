/**
 * Fakes and readers for tests of what logs and measures.
 * @module
 */
import type { LogSink } from './log/sink.ts'

/** One record as a reader of the log sees it. */
export type LogRecord = Readonly<Record<string, unknown>>

/** A sink that keeps lines in memory. */
export interface MemorySink extends LogSink {
  readonly lines: string[]
  /** The lines, parsed; throws if one is not JSON. */
  readonly records: LogRecord[]
}

/** Makes a sink that keeps every line. */
export function createMemorySink(): MemorySink {
  const lines: string[] = []
  return {
    lines,
    get records() {
      return lines.map((line) => JSON.parse(line) as LogRecord)
    },
    dropped: 0,
    write: (line) => {
      lines.push(line)
    },
    flush: async () => {},
    flushSync: () => {},
    onLoss: () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
