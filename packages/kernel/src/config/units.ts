type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd'
type BytesUnit = 'B' | 'kB' | 'MB' | 'GB' | 'TB' | 'KiB' | 'MiB' | 'GiB' | 'TiB'

/** A time span as people write it: `30s`, or several parts: `1h30m`. */
export type DurationText = `${number}${DurationUnit}`
/** A size as people write it: `64KiB`. */
export type BytesText = `${number}${BytesUnit}`

const durationUnits = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
])

const bytesUnits = new Map([
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
  ['B', 1],
])

const durationPattern =
  /^(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/
const bytesPattern = /^(\d+(?:\.\d+)?) ?(TiB|GiB|MiB|KiB|TB|GB|MB|kB|B)$/
const plainPattern = /^\d+$/

/** Milliseconds of a time span, whole and >= 0; undefined when it is none. */
export function parseDuration(raw: string | number): number | undefined {
  if (typeof raw === 'number') return whole(raw)
  const text = raw.trim()
  if (plainPattern.test(text)) return whole(Number(text))
  const parts = text === '' ? null : durationPattern.exec(text)
  if (!parts) return undefined
  let totalMs = 0
  let at = 1
  for (const unitMs of durationUnits.values()) totalMs += Number(parts[at++] ?? 0) * unitMs
  return whole(Math.round(totalMs))
}

/** Bytes of a size, whole and >= 0; undefined when it is none. */
export function parseBytes(raw: string | number): number | undefined {
  if (typeof raw === 'number') return whole(raw)
  const text = raw.trim()
  if (plainPattern.test(text)) return whole(Number(text))
  const parts = bytesPattern.exec(text)
  return parts ? whole(Math.round(Number(parts[1]) * (bytesUnits.get(parts[2] as string) ?? Number.NaN))) : undefined
}

/** The shortest exact form: `90000` is `1m30s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  let left = ms
  let text = ''
  for (const [unit, unitMs] of durationUnits) {
    const count = Math.floor(left / unitMs)
    if (count > 0) text += `${count}${unit}`
    left -= count * unitMs
  }
  return text
}

/** The largest unit that divides exactly: `65536` is `64KiB`. */
export function formatBytes(bytes: number): string {
  if (bytes === 0) return '0B'
  for (const [unit, unitBytes] of bytesUnits) {
    if (bytes % unitBytes === 0) return `${bytes / unitBytes}${unit}`
  }
  return `${bytes}B`
}

function whole(value: number): number | undefined {
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
