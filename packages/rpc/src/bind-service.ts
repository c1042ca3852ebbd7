import { type DescMethod, type DescService, getOption, hasOption } from '@bufbuild/protobuf'
import { type MethodPolicy, policy } from '@plinth/rpc/contract'
import type { ServiceBinding, ServiceImplementation } from './call.ts'

/**
 * Ties an implementation to its service, so that any transport can serve it.
 *
 * Deny by default: every method must say in its contract who may call it.
 *
 * @throws TypeError naming each method that has no implementation or no access rule.
 */
export function bindService<S extends DescService>(
  service: S,
  implementation: ServiceImplementation<S>,
): ServiceBinding<S> {
  const handlers = implementation as Readonly<Record<string, unknown>>
  const problems: string[] = []
  for (const method of service.methods) {
    if (typeof handlers[method.localName] !== 'function') problems.push(`${methodName(method)} has no implementation`)
    if (!findPolicy(method)) problems.push(`${methodName(method)} has no access rule in its contract`)
  }
  if (problems.length > 0) throw new TypeError(`Cannot bind ${service.typeName}: ${problems.join('; ')}`)
  return Object.freeze({ service, implementation })
}

/** The full name of a method as gRPC has it, without the leading slash: `plinth.catalog.v1.InventoryService/Reserve`. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`
}

/** What the contract says of a method, or undefined when it names no one who may call it. */
export function findPolicy(method: DescMethod): MethodPolicy | undefined {
  if (!hasOption(method, policy)) return undefined
  const found = getOption(method, policy)
  const rule = found.access?.rule
  if (rule?.case === undefined) return undefined
  // `anonymous: false` grants nothing, and neither does an empty list of roles.
  const grants = rule.case === 'anyRole' ? rule.value.role.length > 0 : rule.value
  return grants ? found : undefined
}
