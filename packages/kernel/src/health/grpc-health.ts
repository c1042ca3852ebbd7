import type { HealthPort } from '@plinth/rpc'
import type { HealthRegistry } from './health-registry.ts'

/**
 * The health of the application as `grpc.health.v1` serves it: the whole server and each of its services are serving
 * while the application is ready. It answers from the last report, which is a second old at most. Dispose it to end
 * that watch.
 */
export function createGrpcHealth(health: HealthRegistry, services: readonly string[]): HealthPort & Disposable {
  const known = new Set(['', ...services])
  const listeners = new Set<() => void>()
  let ready = false
  const subscription = health.subscribe((report) => {
    ready = report.ready
    for (const listener of listeners) listener()
  })
  return {
    status: (service) => (known.has(service) ? (ready ? 'serving' : 'not_serving') : undefined),
    subscribe(listener) {
      const own = () => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    [Symbol.dispose]() {
      subscription[Symbol.dispose]()
      listeners.clear()
    },
  }
}
