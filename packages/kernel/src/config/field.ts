import { Secret } from '@plinth/base'

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

/** The type of a field's value, which may be missing when the field is optional. */
export type Maybe<Options, T> = Options extends { readonly optional: true } ? T | undefined : T

/** What a builder knows of its kind of field. */
export interface FieldParts<T> {
  readonly kind: ConfigField<T>['kind']
  readonly options: FieldOptions & { readonly default?: unknown }
  readonly bounds: string
  readonly schema: JsonSchema
  readonly parse: (raw: unknown) => Parsed<T>
  readonly parseText: (text: string) => Parsed<T>
  readonly format: (value: unknown) => string
}

/**
 * Makes a field, checking that its default keeps its own bounds.
 *
 * @throws RangeError when it does not.
 */
export function makeField<T>(parts: FieldParts<T>): ConfigField<T> {
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

/** A number within its limits, or what is wrong with it. */
export function within(
  value: number,
  limits: { min: number; max: number; format: (value: number) => string },
): Parsed<number> {
  const { min, max, format } = limits
  if (value >= min && value <= max) return { value }
  return { problem: `must be ${format(min)} to ${format(max)}, received ${format(value)}` }
}

/** Bounds in words. */
export function boundsOf(min: string | undefined, max: string | undefined): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max}`
  if (min !== undefined) return `at least ${min}`
  return max === undefined ? '' : `at most ${max}`
}

/** The problem of a value of another kind; it never repeats a secret. */
export function expected(what: string, raw: unknown): { readonly problem: string } {
  return { problem: `must be ${what}, received ${shown(raw)}` }
}

/** A value as a problem shows it: short, and never a secret. */
export function shown(raw: unknown): string {
  if (raw instanceof Secret) return 'a secret'
  const text = JSON.stringify(raw) ?? String(raw)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
