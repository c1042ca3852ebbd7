/**
 * What tests of modules need from the kernel.
 * @module
 */
import type { ConfigDefinition, ConfigSection } from './config/define-config.ts'

/**
 * A section with its defaults and the given values, which are taken as they are: for tests of a module, where the
 * configuration is not the subject. It never changes.
 *
 * @throws TypeError when a required field is not given.
 */
export function createTestSection<T>(
  definition: ConfigDefinition<string, T>,
  values: Partial<T> = {},
): ConfigSection<T> {
  const entries = Object.entries(definition.fields).map(([name, field]) => [name, field.default] as const)
  const current = { ...Object.fromEntries(entries), ...values } as T
  for (const [name, field] of Object.entries(definition.fields)) {
    if (field.required && current[name as keyof T] === undefined) {
      throw new TypeError(`Cannot make the section ${definition.name}: ${name} has no default and was not given`)
    }
  }
  return { current: Object.freeze(current), subscribe: () => ({ [Symbol.dispose]() {} }) }
}
