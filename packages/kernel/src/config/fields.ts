import { Secret } from '@plinth/base'
import { type BytesText, type DurationText, formatBytes, formatDuration, parseBytes, parseDuration } from './units.ts'

/** What a raw value became. */
export type Parsed<T> = { readonly value: T } | { readonly problem: string }

/** A part of a JSON Schema (draft 2020-12). */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** One field of a section: how its value is read, checked and described. Made by the builders of this file. */
export interface ConfigField<out T> {
  readonly kind: 'string' | 'integer' | 'number' | 'boolean' | 'choice' | 'secret' | 'list' | 'duration' | 'bytes'
  readonly describe: string
  /** The value without configuration; undefined when there is none. */
  readonly default: T | undefined
  /** Whether configuration must give a value. */
  readonly required: boolean
  /** Whether a change takes effect only at the next start. */
  readonly restart: boolean
  /** The bounds in words: `1 to 1000`. Empty when there are none. */
  readonly bounds: string
  readonly schema: JsonSchema
  /** Reads a value of a file. */
  parse(raw: unknown): Parsed<T>
  /** Reads a value of a variable or a flag, where all is text. */
  parseText(text: string): Parsed<T>
  /** The value as people write it: `30m`, `64KiB`. */
  format(value: unknown): string
}

/** What every field says of itself. */
export interface FieldOptions {
  /** One line for people: what it is, and what a change does. */
  readonly describe: string
  /** Without a default the field must be configured, unless it is optional. */
  readonly optional?: boolean
  /** A live change is refused with a message that asks for a restart. @default false */
  readonly restart?: boolean
}

type Maybe<Options, T> = Options extends { readonly optional: true } ? T | undefined : T

export interface StringOptions extends FieldOptions {
  readonly default?: string
  /** @default 0 */
  readonly charsMin?: number
  /** @default 1000 */
  readonly charsMax?: number
  readonly pattern?: RegExp
}

/** Text. */
export function string<const O extends StringOptions>(options: O): ConfigField<Maybe<O, string>> {
  const { charsMin = 0, charsMax = 1000, pattern } = options as StringOptions
  const bounds = `${charsMin} to ${charsMax} characters${pattern ? ` matching ${pattern.source}` : ''}`
  const parse = (raw: unknown): Parsed<string> => {
    if (typeof raw !== 'string') return expected('text', raw)
    if (raw.length < charsMin || raw.length > charsMax)
      return { problem: `must have ${charsMin} to ${charsMax} characters, has ${raw.length}` }
    if (pattern && !pattern.test(raw)) return { problem: `must match ${pattern.source}, received ${shown(raw)}` }
    return { value: raw }
  }
  const schema = {
    type: 'string',
    minLength: charsMin,
    maxLength: charsMax,
    ...(pattern && { pattern: pattern.source }),
  }
  return field({ kind: 'string', options, bounds, schema, parse, parseText: parse, format: String })
}

export interface NumberOptions extends FieldOptions {
  readonly default?: number
  readonly min?: number
  readonly max?: number
}

/** A whole number within ±(2^53 - 1). */
export function integer<const O extends NumberOptions>(options: O): ConfigField<Maybe<O, number>> {
  return numeric('integer', options)
}

/** A finite number. */
export function number<const O extends NumberOptions>(options: O): ConfigField<Maybe<O, number>> {
  return numeric('number', options)
}

function numeric(kind: 'integer' | 'number', options: NumberOptions): ConfigField<number> {
  const isWhole = kind === 'integer'
  const {
    min = isWhole ? Number.MIN_SAFE_INTEGER : -Number.MAX_VALUE,
    max = isWhole ? Number.MAX_SAFE_INTEGER : Number.MAX_VALUE,
  } = options
  const parse = (raw: unknown): Parsed<number> => {
    if (typeof raw !== 'number' || !(isWhole ? Number.isSafeInteger(raw) : Number.isFinite(raw))) {
      return expected(isWhole ? 'a whole number' : 'a number', raw)
    }
    return within(raw, { min, max, format: String })
  }
  const schema = {
    type: kind,
    ...(options.min !== undefined && { minimum: min }),
    ...(options.max !== undefined && { maximum: max }),
  }
  const bounds = boundsOf(options.min?.toString(), options.max?.toString())
  const parseText = (text: string) => (numberPattern.test(text.trim()) ? parse(Number(text)) : parse(text))
  return field({ kind, options, bounds, schema, parse, parseText, format: String })
}

const numberPattern = /^[+-]?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i

export interface BooleanOptions extends FieldOptions {
  readonly default?: boolean
}

/** `true` or `false`; as text also `on`, `off`, `yes`, `no`, `1`, `0`. */
export function boolean<const O extends BooleanOptions>(options: O): ConfigField<Maybe<O, boolean>> {
  const parse = (raw: unknown): Parsed<boolean> =>
    typeof raw === 'boolean' ? { value: raw } : expected('true or false', raw)
  const parseText = (text: string) => parse(booleanTexts.get(text.trim().toLowerCase()) ?? text)
  return field<boolean>({
    kind: 'boolean',
    options,
    bounds: '',
    schema: { type: 'boolean' },
    parse,
    parseText,
    format: String,
  })
}

const booleanTexts = new Map([
  ['true', true],
  ['on', true],
  ['yes', true],
  ['1', true],
  ['false', false],
  ['off', false],
  ['no', false],
  ['0', false],
])

export interface ChoiceOptions extends FieldOptions {
  readonly of: readonly [string, ...string[]]
  readonly default?: string
}

/** One of a closed set of words. */
export function choice<const O extends ChoiceOptions>(
  options: O & { readonly default?: O['of'][number] },
): ConfigField<Maybe<O, O['of'][number]>> {
  const parse = (raw: unknown): Parsed<string> =>
    typeof raw === 'string' && options.of.includes(raw)
      ? { value: raw }
      : expected(`one of ${options.of.join(', ')}`, raw)
  const bounds = `one of ${options.of.join(', ')}`
  const schema = { type: 'string', enum: options.of }
  return field({
    kind: 'choice',
    options,
    bounds,
    schema,
    parse,
    parseText: (text) => parse(text.trim()),
    format: String,
  })
}

export interface SecretOptions extends FieldOptions {
  /** @default 1 */
  readonly charsMin?: number
  /** @default 65536 */
  readonly charsMax?: number
}

/**
 * A secret. In files and flags only by reference, `{ "$secret": { "file": "…" } }` or `{ "$secret": { "env": "…" } }`,
 * so that no configuration holds it; a variable of its own may hold the text itself. Never printed.
 */
export function secret<const O extends SecretOptions>(options: O): ConfigField<Maybe<O, Secret>> {
  const { charsMin = 1, charsMax = 65_536 } = options as SecretOptions
  const parse = (raw: unknown): Parsed<Secret> => {
    if (!(raw instanceof Secret))
      return {
        problem: 'must be a reference to a secret: { "$secret": { "file": "…" } } or { "$secret": { "env": "…" } }',
      }
    const chars = String(raw.reveal()).length
    if (chars < charsMin || chars > charsMax)
      return { problem: `must have ${charsMin} to ${charsMax} characters, has ${chars}` }
    return { value: raw }
  }
  return field({
    kind: 'secret',
    options,
    bounds: `${charsMin} to ${charsMax} characters`,
    schema: secretSchema,
    parse,
    parseText: (text) => parse(new Secret(text)),
    format: String,
  })
}

const secretSchema: JsonSchema = {
  type: 'object',
  required: ['$secret'],
  additionalProperties: false,
  properties: {
    $secret: {
      type: 'object',
      minProperties: 1,
      maxProperties: 1,
      additionalProperties: false,
      properties: { file: { type: 'string' }, env: { type: 'string' } },
    },
  },
}

export interface ListOptions extends FieldOptions {
  readonly default?: readonly string[]
  /** @default 0 */
  readonly itemsMin?: number
  /** @default 100 */
  readonly itemsMax?: number
  /** Every item matches. */
  readonly pattern?: RegExp
}

/** A list of texts of up to 1000 characters; as text a JSON array or items separated by commas. */
export function list<const O extends ListOptions>(options: O): ConfigField<Maybe<O, readonly string[]>> {
  const { itemsMin = 0, itemsMax = 100, pattern } = options as ListOptions
  const item = string({ describe: '', default: undefined as never, charsMax: 1000, ...(pattern && { pattern }) })
  const parse = (raw: unknown): Parsed<readonly string[]> => {
    if (!Array.isArray(raw)) return expected('a list', raw)
    if (raw.length < itemsMin || raw.length > itemsMax)
      return { problem: `must have ${itemsMin} to ${itemsMax} items, has ${raw.length}` }
    for (const [index, each] of raw.entries()) {
      const parsed = item.parse(each)
      if ('problem' in parsed) return { problem: `item ${index} ${parsed.problem}` }
    }
    return { value: Object.freeze([...raw]) }
  }
  return field({
    kind: 'list',
    options,
    bounds: `${itemsMin} to ${itemsMax} items${pattern ? ` matching ${pattern.source}` : ''}`,
    schema: { type: 'array', minItems: itemsMin, maxItems: itemsMax, items: item.schema },
    parse,
    parseText: (text) => parse(splitList(text)),
    format: (value) => JSON.stringify(value),
  })
}

function splitList(text: string): unknown {
  const trimmed = text.trim()
  if (!trimmed.startsWith('[')) return trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim())
  try {
    return JSON.parse(trimmed)
  } catch {
    // The parser of the field tells what was expected; the text itself is the best answer to "received".
    return text
  }
}

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
  return field({
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

interface FieldParts<T> {
  readonly kind: ConfigField<T>['kind']
  readonly options: FieldOptions & { readonly default?: unknown }
  readonly bounds: string
  readonly schema: JsonSchema
  readonly parse: (raw: unknown) => Parsed<T>
  readonly parseText: (text: string) => Parsed<T>
  readonly format: (value: unknown) => string
}

function field<T>(parts: FieldParts<T>): ConfigField<T> {
  const { options, kind, bounds, schema, parse, parseText, format } = parts
  const given = options.default === undefined ? undefined : parse(options.default)
  // A default outside its own bounds would fail only where nobody configured the field.
  if (given && 'problem' in given) throw new RangeError(`Cannot define a field: its default ${given.problem}`)
  return Object.freeze({
    kind,
    describe: options.describe,
    default: given?.value,
    required: options.default === undefined && options.optional !== true,
    restart: options.restart ?? false,
    bounds,
    schema: { ...schema, description: options.describe, ...(given && { default: options.default }) },
    parse,
    parseText,
    format,
  })
}

function within(
  value: number,
  limits: { min: number; max: number; format: (value: number) => string },
): Parsed<number> {
  const { min, max, format } = limits
  if (value >= min && value <= max) return { value }
  return { problem: `must be ${format(min)} to ${format(max)}, received ${format(value)}` }
}

function boundsOf(min: string | undefined, max: string | undefined): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max}`
  if (min !== undefined) return `at least ${min}`
  return max === undefined ? '' : `at most ${max}`
}

function expected(what: string, raw: unknown): { readonly problem: string } {
  return { problem: `must be ${what}, received ${shown(raw)}` }
}

function shown(raw: unknown): string {
  if (raw instanceof Secret) return 'a secret'
  const text = JSON.stringify(raw) ?? String(raw)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
