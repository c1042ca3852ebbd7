import { configOf } from '../keys.ts'
import type { Key } from '../wiring/key.ts'
import { defineModule, type Module } from '../wiring/module.ts'
import type { Configuration } from './configuration.ts'
import type { ConfigDefinition, ConfigSection } from './define-config.ts'

/** The keys of the sections, by section name. */
export type SectionKeys<Definitions extends readonly ConfigDefinition[]> = {
  readonly [Each in Definitions[number] as Each['name']]: Each extends ConfigDefinition<infer Name, infer T>
    ? Key<ConfigSection<T>, `config:${Name}`>
    : never
}

/** The module that hands the sections of a configuration to those that need them by `configOf(section)`. */
export function createConfigModule<Definitions extends readonly ConfigDefinition[]>(
  configuration: Configuration<Definitions>,
): Module<Record<never, never>, SectionKeys<Definitions>> {
  const keys = configuration.definitions.map((definition) => [definition.name, configOf(definition)])
  const sections = configuration.definitions.map((definition) => [definition.name, configuration.section(definition)])
  return defineModule({
    name: 'config',
    provides: Object.fromEntries(keys) as SectionKeys<Definitions>,
    start: () => ({ provides: Object.fromEntries(sections) }) as never,
  })
}
