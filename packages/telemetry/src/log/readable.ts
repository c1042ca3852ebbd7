import { quote } from './json-text.ts'

/** How a record is shown. */
export interface ReadableOptions {
  /** Whether ANSI colours are used; see {@link wantsColors}. */
  readonly colors: boolean
}

/** Whether a stream should be coloured: it is a terminal and `NO_COLOR` (no-color.org) is unset or empty. */
export function wantsColors(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb'
}

const levelColors = new Map<unknown, number>([
  ['trace', 90],
  ['debug', 36],
  ['info', 32],
  ['warn', 33],
  ['error', 31],
  ['fatal', 35],
])

/**
 * Shows one JSON record to a person: local time, level, event and fields on one line, the stacks of errors below.
 * A line that is no record comes back made harmless. Control characters never reach the terminal.
 */
export function formatReadable(line: string, { colors }: ReadableOptions): string {
  const paint = (code: number, text: string) => (colors ? `\u001b[${code}m${text}\u001b[39;22m` : text)
  const record = parseRecord(line)
  if (!record) return `${plain(line.trimEnd())}\n`
  const { time, level, event, ...fields } = record
  const stacks: string[] = []
  let text = `${paint(90, localTime(time))} ${paint(levelColors.get(level) ?? 39, plain(String(level)).toUpperCase().padEnd(5))} `
  text += paint(1, plain(String(event)).padEnd(24))
  for (const [name, value] of Object.entries(fields)) {
    text += ` ${paint(90, `${plain(name)}=`)}${showValue(value, stacks)}`
  }
  return `${text.trimEnd()}\n${stacks.map((stack) => `${stack}\n`).join('')}`
}

function parseRecord(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'level' in value
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    // Not JSON: a line of another program on the same stream. It is shown as text.
    return undefined
  }
}

function showValue(value: unknown, stacks: string[]): string {
  if (typeof value === 'string') return /^[\w.:/@+-]+$/.test(value) ? value : quote(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (isErrorRecord(value)) {
    collectStacks(value, stacks, '    ')
    return quote(`${value.type}: ${value.message}`)
  }
  return plain(JSON.stringify(value))
}

interface ErrorRecord {
  readonly type: string
  readonly message: string
  readonly stack?: unknown
  readonly cause?: unknown
}

function isErrorRecord(value: object): value is ErrorRecord {
  return 'type' in value && 'message' in value && 'stack' in value
}

function collectStacks(error: ErrorRecord, stacks: string[], indent: string): void {
  const lines = String(error.stack).split('\n')
  stacks.push(...lines.map((line) => `${indent}${plain(line)}`))
  if (typeof error.cause === 'object' && error.cause !== null && isErrorRecord(error.cause)) {
    stacks.push(`${indent}caused by:`)
    collectStacks(error.cause, stacks, `${indent}  `)
  }
}

/** The text with every control character shown as its escape. */
function plain(text: string): string {
  return quote(text).slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\')
}

function localTime(time: unknown): string {
  const at = new Date(String(time))
  if (Number.isNaN(at.getTime())) return plain(String(time))
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}
