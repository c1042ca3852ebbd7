import type { SqlDialectName } from './dialect.ts'

/** A value that can be bound. Text is never built from values: there is no other way to get one into a statement. */
export type SqlValue = string | number | bigint | boolean | Uint8Array | null

declare const shape: unique symbol

/**
 * A statement prepared once and run many times. Made only by {@link sql} and {@link perDialect}, from literal text,
 * so no input can become part of it.
 */
export interface Statement<Params, Row> {
  /** The statement as one engine reads it; made once per dialect. */
  text(dialect: SqlDialectName): { readonly text: string; readonly names: readonly string[] }
  readonly [shape]?: (params: Params) => Row
}

const namePattern = /^[a-zA-Z][a-zA-Z0-9_]*$/

/**
 * Makes a statement from literal SQL with named parameters. Write the portable SQL that SQLite and PostgreSQL share
 * (`insert … on conflict … do update`, `returning`, no quoting by hand); use {@link perDialect} where they differ.
 * Call it once, at module level: the text is cached by identity.
 *
 * @throws TypeError when it is not used as a template tag, or a name is not a plain identifier.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { sql } from '@plinth/data'
 *
 * const find = sql<{ id: string }, { title: string }>`select title from product where id = ${'id'}`
 * assert.equal(find.text('postgres').text, 'select title from product where id = $1')
 * ```
 */
export function sql<Params extends object = Record<never, never>, Row = Record<string, SqlValue>>(
  pieces: TemplateStringsArray,
  ...names: readonly (keyof Params & string)[]
): Statement<Params, Row> {
  if (!Array.isArray(pieces) || !Object.hasOwn(pieces, 'raw')) {
    throw new TypeError('Cannot make a statement: sql is a template tag and takes literal text only')
  }
  for (const name of names) {
    if (!namePattern.test(name)) throw new TypeError(`Cannot name a parameter "${name}": it is not an identifier`)
  }
  const texts = {
    sqlite: { text: pieces.join('?').trim(), names },
    postgres: {
      text: pieces.reduce((text, piece, at) => `${text}$${at}${piece}`).trim(),
      names,
    },
  }
  return { text: (dialect) => texts[dialect] }
}

/** Chooses between two spellings of one statement: full-text search, JSON and locking differ by engine. */
export function perDialect<Params, Row>(
  variants: Readonly<Record<SqlDialectName, Statement<Params, Row>>>,
): Statement<Params, Row> {
  return { text: (dialect) => variants[dialect].text(dialect) }
}
