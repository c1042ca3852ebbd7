/** A value that can be bound. Text is never built from values: there is no other way to get one into a statement. */
export type SqlValue = string | number | bigint | boolean | Uint8Array | null

declare const shape: unique symbol

/**
 * A statement prepared once and run many times. Made only by {@link sql}, from literal text, so no input can become
 * part of it.
 */
export interface Statement<Params, Row> {
  /** The literal pieces around the parameters. */
  readonly pieces: readonly string[]
  /** The names of the parameters between the pieces. */
  readonly names: readonly string[]
  readonly [shape]?: (params: Params) => Row
}

/** A named parameter inside {@link sql}. */
export interface Param<Name extends string, Value extends SqlValue> {
  readonly param: Name
  readonly value?: Value
}

/** Names a parameter: `sql\`select * from item where id = ${param<'id', string>('id')}\``. */
export function param<Name extends string, Value extends SqlValue = SqlValue>(name: Name): Param<Name, Value> {
  return { param: name }
}

type ParamsOf<P extends readonly Param<string, SqlValue>[]> = {
  readonly [K in P[number] as K['param']]: K extends Param<string, infer V> ? V : never
}
