import { PlatformError } from '@plinth/base'
import type { SqlValue } from './statement.ts'

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n

/** Rows one read may return. An unbounded read is a bug that shows only when the table has grown. */
export const rowsMax = 10_000

/** A value as both engines store it: booleans are 0 and 1, whole numbers are integers whatever their JavaScript type. */
export type BoundValue = string | number | bigint | Uint8Array | null

/**
 * Checks a value and brings it into the form both engines store alike.
 *
 * @throws TypeError for what no column holds (undefined, objects, NaN): the program is wrong.
 * @throws PlatformError `data.text_not_storable` for NUL and lone surrogates, which SQLite would change silently and
 * PostgreSQL refuse, and `data.number_out_of_range` beyond 64 bits: the input is wrong.
 */
export function toBound(value: SqlValue, name: string | number): BoundValue {
  switch (typeof value) {
    case 'string':
      return checkText(value, name)
    case 'number':
      if (Number.isSafeInteger(value)) return BigInt(value)
      if (Number.isFinite(value)) return value
      throw new TypeError(`Cannot bind parameter ${name}: ${value} is not a finite number`)
    case 'bigint':
      if (value >= int64Min && value <= int64Max) return value
      throw numberOutOfRange(`Cannot bind parameter ${name}: the integer needs more than 64 bits`, 'invalid')
    case 'boolean':
      return value ? 1n : 0n
    case 'object':
      if (value === null || value instanceof Uint8Array) return value
  }
  const received = typeof value === 'object' ? Object.prototype.toString.call(value) : typeof value
  throw new TypeError(`Cannot bind parameter ${name}: expected text, a number, bytes or null, received ${received}`)
}

/** The named parameters of a statement in its own order. */
export function bindNamed(names: readonly string[], params: unknown): BoundValue[] {
  const values = new Array<BoundValue>(names.length)
  for (let at = 0; at < names.length; at++) {
    const name = names[at] as string
    const value = (params as Record<string, SqlValue> | null | undefined)?.[name]
    if (value === undefined) throw new TypeError(`Cannot run the statement: parameter "${name}" is missing`)
    values[at] = toBound(value, `"${name}"`)
  }
  return values
}

/** The positional parameters of a compiled query. */
export function bindPositional(params: readonly unknown[]): BoundValue[] {
  return params.map((value, at) => toBound(value as SqlValue, at + 1))
}

export function numberOutOfRange(message: string, kind: 'invalid' | 'internal', cause?: unknown): PlatformError {
  return new PlatformError(message, { kind, code: 'data.number_out_of_range', cause })
}

export function tooManyRows(): PlatformError {
  return new PlatformError(`Cannot return the rows: there are more than ${rowsMax}`, {
    kind: 'internal',
    code: 'data.too_many_rows',
    details: { rowsMax },
  })
}

function checkText(text: string, name: string | number): string {
  if (text.isWellFormed() && !text.includes('\0')) return text
  throw new PlatformError(`Cannot store parameter ${name}: the text holds NUL or half of a surrogate pair`, {
    kind: 'invalid',
    code: 'data.text_not_storable',
  })
}
