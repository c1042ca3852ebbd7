import { stripVTControlCharacters } from 'node:util'
import type { Timestamp } from '@bufbuild/protobuf/wkt'
import type { Money } from '@plinth/rpc/contract'

/** What a column may hold. */
export type Cell = string | number | bigint

/** Emphasis that respects NO_COLOR and pipes. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
}

/** Emphasis by escape sequences, or none. */
export function createStyle(colors: boolean): Style {
  const paint = (code: number) => (text: string) => (colors ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { bold: paint(1), dim: paint(2), red: paint(31), green: paint(32), yellow: paint(33) }
}

/** Text of a stranger on one line, without anything that would steer the terminal. */
export function clean(text: string): string {
  // Cc are controls; Cf hides and turns text around; Zl and Zp break lines.
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u
const picture = /\p{Extended_Pictographic}/u
const mark = /\p{M}/u

/** Columns of a terminal that a text takes. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of stripVTControlCharacters(text)) {
    if (!mark.test(character)) width += wide.test(character) || picture.test(character) ? 2 : 1
  }
  return width
}

/** At most `width` columns of a text, with an ellipsis where something is missing. Styled text is left as it is. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width || text.includes('\u001b')) return text
  let kept = ''
  for (const character of text) {
    if (widthOf(kept + character) > Math.max(0, width - 1)) break
    kept += character
  }
  return `${kept}…`
}

/**
 * Columns as wide as their widest cell, under the heading in the first row. Numbers and money stand right; the last
 * column takes what is left of `width`.
 */
export function table(
  rows: readonly (readonly Cell[])[],
  { width }: { readonly width?: number | undefined } = {},
): readonly string[] {
  const [heading = [], ...body] = rows
  const columns = heading.map((_, at) => ({
    width: Math.max(0, ...rows.map((row) => widthOf(String(row[at] ?? '')))),
    isRight: body.length > 0 && body.every((row) => isNumber(row[at])),
  }))
  return rows.map((row) => {
    let before = 0
    const cells = columns.map((column, at) => {
      const text = String(row[at] ?? '')
      const gap = ' '.repeat(column.width - widthOf(text))
      const start = before
      before += column.width + 2
      if (column.isRight) return gap + text
      if (at < columns.length - 1) return text + gap
      return width === undefined ? text : clip(text, Math.max(12, width - start))
    })
    return cells.join('  ').trimEnd()
  })
}

function isNumber(cell: Cell | undefined): boolean {
  return typeof cell !== 'string' || /^(-?[\d,]+(\.\d+)?( [A-Z]{3})?|-)$/.test(cell)
}

/** Digits after the point of a currency; 2 for one that nobody knows. */
export function fractionDigits(currency: string): number {
  try {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency })
    return format.resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    return 2
  }
}

/** Money for people: `1,234.50 USD`. */
export function money(value: Pick<Money, 'amountMinor' | 'currency'> | undefined): string {
  if (value === undefined) return '-'
  const digits = fractionDigits(value.currency)
  const minor = value.amountMinor < 0n ? -value.amountMinor : value.amountMinor
  const text = minor.toString().padStart(digits + 1, '0')
  const major = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, ',')
  const fraction = digits === 0 ? '' : `.${text.slice(-digits)}`
  return `${value.amountMinor < 0n ? '-' : ''}${major}${fraction} ${clean(value.currency)}`
}

/** Minor units of an amount as people write it: `12.99`. Undefined when it is none, or too precise for the currency. */
export function parseMoney(text: string, currency: string): bigint | undefined {
  const digits = fractionDigits(currency)
  const match = /^(\d{1,15})(?:\.(\d+))?$/.exec(text)
  const fraction = match?.[2] ?? ''
  if (!match || fraction.length > digits) return undefined
  return BigInt(`${match[1]}${fraction.padEnd(digits, '0')}`)
}

/** A time in the zone of the reader: `2026-11-22 08:42:05`. */
export function time(at: Timestamp | undefined): string {
  if (at === undefined) return '-'
  const date = new Date(Number(at.seconds) * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** A span of time for people: `3 d 4 h`, `2 min 5 s`, `850 ms`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = Math.floor(ms / 1000)
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}

const units: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
])

/** Milliseconds of `500ms`, `30s`, `5m`, `1h` or plain seconds; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|min|h)?$/.exec(text)
  if (!match) return undefined
  return Math.round(Number(match[1]) * (units.get(match[2] ?? 's') ?? 1000))
}

/** A bar of progress with what is left to wait: `[=====     ] 1,600 of 3,201  50 %  2 s left`. */
export function progressBar(state: { readonly done: number; readonly total: number; readonly tookMs: number }): string {
  const { done, total, tookMs } = state
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(share * 24)
  const left = done > 0 && done < total ? `  ${duration(Math.max(1000, (tookMs / done) * (total - done)))} left` : ''
  const count = `${done.toLocaleString('en')} of ${total.toLocaleString('en')}`
  return `[${'='.repeat(filled)}${' '.repeat(24 - filled)}] ${count}  ${Math.round(share * 100)} %${left}`
}
