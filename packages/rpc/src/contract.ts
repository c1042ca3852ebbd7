import type { DescService } from '@bufbuild/protobuf'

/** A service under the short name by which modules are wired: `catalog.inventory`. */
export interface Contract<S extends DescService = DescService, Name extends string = string> {
  readonly name: Name
  readonly service: S
}

const namePattern = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/

/**
 * Names a service for wiring. The name is a literal type, so that the compiler can tell two contracts apart.
 *
 * @throws TypeError when the name is not `<service>.<subject>` in lower case.
 *
 * @example
 * ```ts no-run
 * export const inventoryContract = defineContract('catalog.inventory', InventoryService)
 * ```
 */
export function defineContract<const Name extends string, S extends DescService>(
  name: Name,
  service: S,
): Contract<S, Name> {
  if (!namePattern.test(name)) {
    throw new TypeError(`Cannot name a contract "${name}": expected <service>.<subject> in lower case`)
  }
  return Object.freeze({ name, service })
}
