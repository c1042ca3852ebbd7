import { Secret } from '@plinth/base'
import {
  boundsOf,
  type ConfigField,
  expected,
  type FieldOptions,
  type JsonSchema,
  type Maybe,
  makeField,
  type Parsed,
  shown,
  within,
} from './field.ts'

/** Bounds of a text, in UTF-16 units. */
export interface StringOptions extends FieldOptions {
  readonly default?: string
  /** @default 0 */
  readonly charsMin?: number
  /** @default 1000 */
  readonly charsMax?: number
  readonly pattern?: RegExp
}

/** Text of up to 1000 characters, unless its options say otherwise. */
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
  return makeField({ kind: 'string', options, bounds, schema, parse, parseText: parse, format: String })
}

/** Bounds of a number, both inclusive. */
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
  return makeField({ kind, options, bounds, schema, parse, parseText, format: String })
}

const numberPattern = /^[+-]?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i

/** A default, or none. */
export interface BooleanOptions extends FieldOptions {
  readonly default?: boolean
}

/** `true` or `false`; as text also `on`, `off`, `yes`, `no`, `1`, `0`. */
export function boolean<const O extends BooleanOptions>(options: O): ConfigField<Maybe<O, boolean>> {
  const parse = (raw: unknown): Parsed<boolean> =>
    typeof raw === 'boolean' ? { value: raw } : expected('true or false', raw)
  const parseText = (text: string) => parse(booleanTexts.get(text.trim().toLowerCase()) ?? text)
  return makeField<boolean>({
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

/** The words, and which one holds by default. */
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
  return makeField({
    kind: 'choice',
    options,
    bounds,
    schema,
    parse,
    parseText: (text) => parse(text.trim()),
    format: String,
  })
}

/** Bounds of the text of a secret. It has no default: a secret in the source is none. */
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
  return makeField({
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

/** Bounds of a list. */
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
  return makeField({
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
