import { describe, it } from 'node:test'
import { floorsRule } from './floors.ts'
import { assertFinds, assertQuiet } from './testing.ts'

describe('floors', () => {
  it('refuses an import that goes up', () => {
    assertFinds(
      floorsRule,
      {
        'packages/base/src/a.ts': "import type { Bus } from '@plinth/messaging'",
        'packages/messaging/src/index.ts': '',
      },
      /^packages\/base\/src\/a\.ts:1 .*up to messaging/,
    )
  })

  it('refuses an import to the side without an arrow and takes one with', () => {
    const http = { 'packages/data/src/index.ts': '', 'packages/net/src/index.ts': '' }
    assertFinds(floorsRule, { ...http, 'packages/http/src/a.ts': "import '@plinth/data'" }, /sideways to data/)
    assertQuiet(floorsRule, { ...http, 'packages/http/src/a.ts': "import '@plinth/net'" })
  })

  it('refuses telemetry below the kernel', () => {
    const files = { 'packages/rpc/src/a.ts': "import '@plinth/telemetry'", 'packages/telemetry/src/index.ts': '' }
    assertFinds(floorsRule, files, /announce on node:diagnostics_channel/)
  })

  it("refuses all of another service but its contract, and a service's inside in an app", () => {
    const orders = { 'services/orders/contract/index.ts': '', 'services/orders/src/compose.ts': '' }
    const from = (path: string, text: string) => ({ ...orders, [path]: text })
    assertFinds(floorsRule, from('services/payments/src/a.ts', "import '@plinth/orders-service'"), /may import only/)
    assertQuiet(floorsRule, from('services/payments/src/a.ts', "import '@plinth/orders-service/contract'"))
    assertQuiet(floorsRule, from('apps/plinth/src/a.ts', "import '@plinth/orders-service'"))
    assertFinds(floorsRule, from('packages/data/src/a.ts', "import '@plinth/orders-service/contract'"), /know nothing/)
  })

  it('refuses a dead end outside tests', () => {
    const lab = { 'packages/lab/src/index.ts': '' }
    assertFinds(floorsRule, { ...lab, 'services/orders/src/a.ts': "import '@plinth/lab'" }, /dead end/)
    assertQuiet(floorsRule, { ...lab, 'services/orders/src/a.test.ts': "import '@plinth/lab'" })
  })

  it('refuses a package or service that is on no floor', () => {
    assertFinds(floorsRule, { 'packages/drawer/src/index.ts': '' }, /is on no floor/)
    assertFinds(floorsRule, { 'services/coffee/src/compose.ts': '' }, /is on no floor/)
  })
})
