import { describe, it } from 'node:test'
import { serviceLayersRule } from './service-layers.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const file = (path: string, specifier: string) => ({ [`services/orders/${path}`]: `import { x } from '${specifier}'` })

describe('service layers', () => {
  it('refuses each arrow that points the wrong way', () => {
    for (const [path, specifier] of [
      ['src/domain/order.ts', '../usecases/orders.ts'],
      ['src/usecases/place.ts', '../adapters/store.ts'],
      ['src/usecases/place.ts', '../entrypoints/rpc.ts'],
      ['src/usecases/place.ts', '../compose.ts'],
      ['src/adapters/store.ts', '../usecases/place.ts'],
      ['src/adapters/store.ts', '../entrypoints/rpc.ts'],
      ['src/entrypoints/rpc.ts', '../adapters/store.ts'],
      ['src/entrypoints/rpc.ts', '../domain/order.ts'],
      ['contract/index.ts', '../src/domain/order.ts'],
      ['src/main.ts', './usecases/place.ts'],
    ] as const) {
      assertFinds(serviceLayersRule, file(path, specifier), /must not import/)
    }
  })

  it('takes each arrow that points the right way', () => {
    for (const [path, specifier] of [
      ['src/usecases/place.ts', '../domain/order.ts'],
      ['src/adapters/store.ts', '../usecases/ports.ts'],
      ['src/adapters/store.ts', '../wire/order-message.ts'],
      ['src/entrypoints/rpc.ts', '../usecases/orders.ts'],
      ['src/wire/order-message.ts', '../../contract/index.ts'],
      ['src/entrypoints/rpc.ts', '../domain/refusals.ts'],
      ['src/compose.ts', './adapters/store.ts'],
      ['src/usecases/place.test.ts', '../adapters/store.ts'],
    ] as const) {
      assertQuiet(serviceLayersRule, file(path, specifier))
    }
    const typeOnly = { 'services/orders/src/entrypoints/rpc.ts': "import type { Order } from '../domain/order.ts'" }
    assertQuiet(serviceLayersRule, typeOnly)
  })

  it('refuses a folder that is no layer', () => {
    assertFinds(serviceLayersRule, { 'services/orders/src/logic/a.ts': '' }, /src\/logic\/ is no layer/)
  })
})
