import type { ConfigField } from './field.ts'

/** The fields of a section by name. */
export type ConfigFields = Readonly<Record<string, ConfigField<unknown>>>

/** The value of a section, inferred from its fields. */
export type ConfigValue<Fields extends ConfigFields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends ConfigField<infer T> ? T : never
}

/** A section of the configuration as a module declares it. */
export interface ConfigDefinition<Name extends string = string, out T = unknown> {
  readonly name: Name
  readonly fields: ConfigFields
  /** What the section is about, for `config explain` and the schema. */
  readonly describe: string
  /** Holds the type only. */
  readonly value?: T
}

/** The value of a section, from its definition: `ConfigValueOf<typeof ordersConfig>`. */
export type ConfigValueOf<Definition> = Definition extends ConfigDefinition<string, infer T> ? T : never

/** A change of a section as its subscribers see it. */
export interface SectionChange<T> {
  readonly previous: T
  readonly next: T
  /** Names of the fields that changed. */
  readonly changed: ReadonlySet<keyof T & string>
}

/** Who hears of changes. */
export interface ConfigSubscriber<T> {
  /**
   * Asked before a change. A text is a veto and its reason; nothing, or a promise of nothing, agrees. It must have no
   * effect. Without an answer before the deadline of the change, the change is refused.
   */
  check?(change: SectionChange<T>, signal: AbortSignal): Promise<string | undefined> | string | undefined
  /** Told after all of the change holds. It must not throw, and it cannot undo: {@link ConfigSubscriber.check} can. */
  apply?(change: SectionChange<T>): void
}

/** A section of the running configuration. */
export interface ConfigSection<T> {
  /** The value now: one frozen object, replaced as a whole by a change. Read it where it is used. */
  readonly current: T
  /** Takes part in changes until the answer is disposed. */
  subscribe(subscriber: ConfigSubscriber<T>): Disposable
}

/**
 * Declares a section of the configuration: names, types, bounds and defaults in one place.
 *
 * @throws RangeError when a name is not camelCase of 1 to 60 characters.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { defineConfig, durationMs, integer } from '@plinth/kernel'
 *
 * const ordersConfig = defineConfig('orders', {
 *   payTimeoutMs: durationMs({ default: '30m', min: '1m', max: '1d', describe: 'Time to pay an order' }),
 *   linesMax: integer({ default: 100, min: 1, max: 1000, describe: 'Lines of one order' }),
 * })
 * assert.equal(ordersConfig.fields['linesMax']?.default, 100)
 * ```
 */
export function defineConfig<const Name extends string, const Fields extends ConfigFields>(
  name: Name,
  fields: Fields,
  options: { readonly describe?: string } = {},
): ConfigDefinition<Name, ConfigValue<Fields>> {
  for (const each of [name, ...Object.keys(fields)]) {
    if (!namePattern.test(each)) {
      throw new RangeError(
        `Cannot define the configuration "${name}": "${each}" is not camelCase of 1 to 60 characters`,
      )
    }
  }
  return Object.freeze({ name, fields: Object.freeze({ ...fields }), describe: options.describe ?? '' })
}

const namePattern = /^[a-z][a-zA-Z0-9]{0,59}$/
