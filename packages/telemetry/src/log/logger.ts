import { type Clock, systemClock } from '@plinth/base'
import { currentTrace, type TraceContext } from '../traces/context.ts'
import { quote } from './json-text.ts'
import { type LogLevel, type LogThreshold, logLevels } from './level.ts'
import { createLogLevels, type LogLevels } from './levels.ts'
import { formatReadable } from './readable.ts'
import { createRecordWriter, type RecordLimits, type RecordWriter } from './record-writer.ts'
import { createNameFilter } from './redaction.ts'
import type { LogSink } from './sink.ts'

/** What a record says besides its event: flat names in snake_case, values of any kind. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Writes records: an event name in snake_case and fields, no prose. Logging never throws, never waits and never
 * writes more than one line a record, whatever the fields hold.
 */
export interface Logger {
  trace(event: string, fields?: LogFields): void
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  fatal(event: string, fields?: LogFields): void
  /** A logger whose records all carry `fields` too. They are written once, here; a record's own field of a name wins. */
  with(fields: LogFields): Logger
  /** Whether a record of this level would be written, for fields that are costly to gather. */
  isEnabled(level: LogLevel): boolean
}

/** The logger a process makes once. Disposing it flushes and closes its sink. */
export interface RootLogger extends Logger, AsyncDisposable {
  /** Which level holds where; change it while the process runs. */
  readonly levels: LogLevels
  readonly sink: LogSink
}

/** How a logger writes, and what of it. */
export interface LoggerOptions {
  readonly sink: LogSink
  /** @default 'info' */
  readonly level?: LogThreshold
  /** Takes the place of `level` where several loggers share their levels. */
  readonly levels?: LogLevels
  /** @default systemClock */
  readonly clock?: Clock
  /** One JSON object a line, or a form for people at a terminal. @default 'json' */
  readonly format?: 'json' | 'readable'
  /** Whether the readable form is coloured; see `wantsColors`. @default false */
  readonly colors?: boolean
  /** Names whose values are not written, besides `deniedNames`. */
  readonly denied?: readonly string[]
  readonly limits?: RecordLimits
}

/**
 * Makes a logger.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createLogger } from '@plinth/telemetry'
 * import { createMemorySink } from '@plinth/telemetry/testing'
 *
 * const sink = createMemorySink()
 * const log = createLogger({ sink }).with({ service: 'orders' })
 * log.info('order_placed', { order_id: 'o-1', password: 'hunter2' })
 * const [record] = sink.records
 * assert.equal(record?.event, 'order_placed')
 * assert.deepEqual([record?.service, record?.order_id, record?.password], ['orders', 'o-1', '[redacted]'])
 * ```
 */
export function createLogger(options: LoggerOptions): RootLogger {
  const clock = options.clock ?? systemClock
  const core: Core = {
    sink: options.sink,
    levels: options.levels ?? createLogLevels(options.level ?? 'info', { clock }),
    clock,
    writer: createRecordWriter(options.limits ?? {}, { isDenied: createNameFilter(options.denied), ownNames }),
    finish: finishFor(options),
    secondMs: Number.NaN,
    secondText: '',
  }
  const root = new TreeLogger(core, new Map(), '')
  core.sink.onLoss((lost) => root.warn('log_lines_dropped', { dropped: lost }))
  return Object.assign(root, {
    levels: core.levels,
    sink: core.sink,
    [Symbol.asyncDispose]: () => core.sink[Symbol.asyncDispose](),
  })
}

/** Turns a finished JSON line into what the sink takes. */
function finishFor({ format, colors }: LoggerOptions): (line: string) => string {
  if (format !== 'readable') return (line) => `${line}\n`
  return (line) => formatReadable(line, { colors: colors ?? false })
}

interface Core {
  readonly sink: LogSink
  readonly levels: LogLevels
  readonly clock: Clock
  readonly writer: RecordWriter
  readonly finish: (line: string) => string
  /** The second of the last record and its text up to the dot: records come many to a second. */
  secondMs: number
  secondText: string
}

/** Names the logger writes itself; a field of such a name gets an underscore behind it, so that no line has two. */
const ownNames: ReadonlySet<string> = new Set(['time', 'level', 'event', 'trace_id', 'span_id', 'request_id'])

const openings = new Map<number, string>(
  Object.entries(logLevels).map(([level, severity]) => [severity, `","level":"${level}","event":`]),
)

class TreeLogger implements Logger {
  readonly #core: Core
  /** Bound fields by name, each as its finished JSON member. */
  readonly #bound: ReadonlyMap<string, string>
  readonly #boundText: string
  readonly #selectable: ReadonlyMap<string, string>
  #threshold = 0
  #version = -1

  constructor(
    core: Core,
    bound: ReadonlyMap<string, string>,
    boundText: string,
    selectable = new Map<string, string>(),
  ) {
    this.#core = core
    this.#bound = bound
    this.#boundText = boundText
    this.#selectable = selectable
  }

  trace(event: string, fields?: LogFields): void {
    if (this.#writes(10)) this.#write(10, event, fields)
  }

  debug(event: string, fields?: LogFields): void {
    if (this.#writes(20)) this.#write(20, event, fields)
  }

  info(event: string, fields?: LogFields): void {
    if (this.#writes(30)) this.#write(30, event, fields)
  }

  warn(event: string, fields?: LogFields): void {
    if (this.#writes(40)) this.#write(40, event, fields)
  }

  error(event: string, fields?: LogFields): void {
    if (this.#writes(50)) this.#write(50, event, fields)
  }

  fatal(event: string, fields?: LogFields): void {
    if (this.#writes(60)) this.#write(60, event, fields)
  }

  isEnabled(level: LogLevel): boolean {
    return this.#writes(logLevels[level])
  }

  with(fields: LogFields): Logger {
    const bound = new Map(this.#bound)
    const selectable = new Map(this.#selectable)
    for (const [name, value] of Object.entries(readable(fields))) {
      const text = this.#core.writer.fields({ [name]: value })
      if (text === '') continue
      bound.set(name, text)
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
        selectable.set(name, String(value))
      }
    }
    return new TreeLogger(this.#core, bound, Array.from(bound.values()).join(''), selectable)
  }

  #writes(severity: number): boolean {
    if (this.#version !== this.#core.levels.version) {
      this.#version = this.#core.levels.version
      this.#threshold = this.#core.levels.thresholdFor(this.#selectable)
    }
    return severity >= this.#threshold
  }

  #write(severity: number, event: string, fields: LogFields | undefined): void {
    const core = this.#core
    const trace = currentTrace()
    core.sink.write(
      core.finish(
        `{"time":"${timeText(core)}${openings.get(severity)}${quote(String(event).slice(0, 128))}` +
          `${this.#members(fields)}${trace === undefined ? '' : traceMembers(trace)}}`,
      ),
    )
  }

  /** Bound members and those of the record. */
  #members(fields: LogFields | undefined): string {
    if (fields === undefined) return this.#boundText
    try {
      return this.#boundFor(fields) + this.#core.writer.fields(fields)
    } catch {
      // Not an object, or one that cannot even be listed: a caller's bug, which logging must not make worse.
      return `${this.#boundText},"fields":"[unreadable]"`
    }
  }

  /** The bound members, less those that the record's own fields replace. */
  #boundFor(fields: LogFields): string {
    if (this.#boundText === '') return ''
    let replaced = false
    for (const name in fields) if (this.#bound.has(name)) replaced = true
    if (!replaced) return this.#boundText
    let text = ''
    for (const [name, member] of this.#bound) if (fields[name] === undefined) text += member
    return text
  }
}

function readable(fields: LogFields): LogFields {
  try {
    return { ...fields }
  } catch {
    // A getter or a proxy of the caller failed.
    return { fields: '[unreadable]' }
  }
}

function timeText(core: Core): string {
  const nowMs = Math.floor(core.clock.nowMs())
  const ms = ((nowMs % 1000) + 1000) % 1000
  if (nowMs - ms !== core.secondMs) {
    core.secondMs = nowMs - ms
    core.secondText = new Date(nowMs).toISOString().slice(0, -4)
  }
  return `${core.secondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`
}

const traceTexts = new WeakMap<TraceContext, string>()

/** A request logs several lines in one context; its members are put together once. */
function traceMembers(trace: TraceContext): string {
  let text = traceTexts.get(trace)
  if (text === undefined) {
    const request = trace.requestId === undefined ? '' : `,"request_id":${quote(trace.requestId.slice(0, 128))}`
    text = `,"trace_id":"${trace.traceId}","span_id":"${trace.spanId}"${request}`
    traceTexts.set(trace, text)
  }
  return text
}
