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

/** One line of an exposition. */
export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

/** One metric of an exposition with all its samples. */
export interface SampleFamily {
  readonly type: string
  readonly help: string
  readonly samples: Sample[]
}

/**
 * Reads Prometheus text 0.0.4 or OpenMetrics, written independently of what writes it, for tests that compare.
 *
 * @throws Error for a line of another form, a sample without its family, or two samples of the same labels.
 */
export function parseExposition(body: string): Map<string, SampleFamily> {
  const families = new Map<string, SampleFamily>()
  const seen = new Set<string>()
  let help = ''
  let current: { readonly name: string; readonly family: SampleFamily } | undefined
  for (const line of body.split('\n')) {
    if (line === '' || line === '# EOF') continue
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/s.exec(line)
    if (comment) {
      const [, what, name = '', rest = ''] = comment
      if (what === 'HELP') help = unescapeText(rest)
      else {
        current = { name, family: { type: rest, help, samples: [] } }
        families.set(name, current.family)
      }
      continue
    }
    const sample = parseSample(line)
    const suffix = current && sample.name.startsWith(current.name) ? sample.name.slice(current.name.length) : undefined
    if (!current || suffix === undefined || !['', '_total', '_bucket', '_sum', '_count'].includes(suffix)) {
      throw new Error(`Cannot read the exposition: ${line} stands under no family of its own`)
    }
    const key = JSON.stringify([sample.name, [...sample.labels]])
    if (seen.has(key)) throw new Error(`Cannot read the exposition: ${line} comes twice`)
    seen.add(key)
    current.family.samples.push(sample)
  }
  return families
}

function parseSample(line: string): Sample {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$/s.exec(line)
  if (!match) throw new Error(`Cannot read the exposition: ${JSON.stringify(line)} is no sample`)
  const [, name = '', labelText = '', valueText = ''] = match
  const labels = new Map<string, string>()
  for (const [, label = '', text = ''] of labelText.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/gs)) {
    labels.set(label, unescapeText(text))
  }
  return { name, labels, value: Number(valueText.replace('Inf', 'Infinity')) }
}

function unescapeText(text: string): string {
  return text.replace(/\\(.)/gs, (_, char: string) => (char === 'n' ? '\n' : char))
}
