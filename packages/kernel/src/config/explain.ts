import type { ConfigDefinition } from './define-config.ts'
import type { ConfigLayer } from './entry.ts'
import type { ConfigField, JsonSchema } from './field.ts'
import type { Snapshot } from './snapshot.ts'
import { variableName } from './text-layers.ts'

/** One key of the configuration with everything to know of it. Values are as people write them, secrets masked. */
export interface ConfigEntry {
  readonly key: string
  readonly kind: ConfigField<unknown>['kind']
  /** Undefined for an optional value that nobody gave. */
  readonly value: string | undefined
  readonly layer: ConfigLayer
  /** `plinth.yaml:12`, the variable, the flag, or `default`. */
  readonly origin: string
  /** Weaker places whose values this one hides, strongest first. */
  readonly hides: readonly string[]
  readonly default: string | undefined
  readonly bounds: string
  readonly description: string
  readonly required: boolean
  readonly restart: boolean
  /** The variable that sets it. */
  readonly variable: string
}

/** Every key in the order of the definitions. */
export function explainSnapshot(
  snapshot: Snapshot,
  options: { readonly definitions: readonly ConfigDefinition[]; readonly prefix: string },
): readonly ConfigEntry[] {
  return options.definitions.flatMap(({ name: section, fields }) =>
    Object.entries(fields).map(([name, field]): ConfigEntry => {
      const key = `${section}.${name}`
      const origin = snapshot.origins.get(key)
      const shown = (value: unknown) => (value === undefined ? undefined : field.format(value))
      return {
        key,
        kind: field.kind,
        value: shown(snapshot.sections.get(section)?.[name]),
        layer: origin?.layer ?? 'default',
        origin: origin?.place ?? 'default',
        hides: origin?.hides ?? [],
        default: shown(field.default),
        bounds: field.bounds,
        description: field.describe,
        required: field.required,
        restart: field.restart,
        variable: variableName(options.prefix, section, name),
      }
    }),
  )
}

/** The JSON Schema (draft 2020-12) of a configuration file, for editors: `"$schema": "./plinth.schema.json"`. */
export function configJsonSchema(definitions: readonly ConfigDefinition[]): JsonSchema {
  const sections = definitions.map(({ name, describe, fields }) => [
    name,
    {
      type: 'object',
      description: describe,
      additionalProperties: false,
      properties: Object.fromEntries(Object.entries(fields).map(([field, { schema }]) => [field, schema])),
    },
  ])
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    additionalProperties: false,
    properties: { $schema: { type: 'string' }, ...Object.fromEntries(sections) },
  }
}
