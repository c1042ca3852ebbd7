import {
  boundsOf,
  type ConfigField,
  expected,
  type FieldOptions,
  type Maybe,
  makeField,
  type Parsed,
  within,
} from './field.ts'
import { type BytesText, type DurationText, formatBytes, formatDuration, parseBytes, parseDuration } from './units.ts'

/** Bounds of a time span, both inclusive. */
export interface DurationOptions extends FieldOptions {
  readonly default?: DurationText | number
  readonly min?: DurationText | number
  /** @default '365d' */
  readonly max?: DurationText | number
}

/** A time span in milliseconds, written `250ms`, `30s`, `15m`, `2h`, `7d`, `1h30m` or as a plain number of milliseconds. */
export function durationMs<const O extends DurationOptions>(options: O): ConfigField<Maybe<O, number>> {
  return measured('duration', options, {
    parse: parseDuration,
    format: formatDuration,
    maxDefault: '365d',
    form: 'a duration like 30s or 15m',
  })
}

/** Bounds of a size, both inclusive. */
export interface BytesOptions extends FieldOptions {
  readonly default?: BytesText | number
  readonly min?: BytesText | number
  /** @default '1TiB' */
  readonly max?: BytesText | number
}

/** A size in bytes, written `512B`, `64KiB`, `10MiB`, `2GiB`, `1TiB` (or `kB`, `MB`, `GB`, `TB` of 1000) or as a plain number. */
export function bytes<const O extends BytesOptions>(options: O): ConfigField<Maybe<O, number>> {
  return measured('bytes', options, {
    parse: parseBytes,
    format: formatBytes,
    maxDefault: '1TiB',
    form: 'a size like 64KiB or 10MB',
  })
}

interface Measure {
  readonly parse: (raw: string | number) => number | undefined
  readonly format: (value: number) => string
  readonly maxDefault: string
  readonly form: string
}

interface MeasuredOptions extends FieldOptions {
  readonly default?: string | number
  readonly min?: string | number
  readonly max?: string | number
}

function measured(kind: 'duration' | 'bytes', options: MeasuredOptions, measure: Measure): ConfigField<number> {
  const limit = (raw: string | number) => {
    const value = measure.parse(raw)
    if (value === undefined) throw new RangeError(`Cannot define a field: "${raw}" is not ${measure.form}`)
    return value
  }
  const min = limit(options.min ?? 0)
  const max = limit(options.max ?? measure.maxDefault)
  const parse = (raw: unknown): Parsed<number> => {
    const value = typeof raw === 'string' || typeof raw === 'number' ? measure.parse(raw) : undefined
    return value === undefined ? expected(measure.form, raw) : within(value, { min, max, format: measure.format })
  }
  return makeField({
    kind,
    options,
    bounds: boundsOf(measure.format(min), measure.format(max)),
    schema: {
      anyOf: [
        { type: 'integer', minimum: min, maximum: max },
        { type: 'string', description: measure.form },
      ],
    },
    parse,
    parseText: parse,
    format: (value) => measure.format(value as number),
  })
}
