import { describe, it } from 'node:test'
import { namesRule } from './names.ts'
import { assertFinds, assertQuiet } from './testing.ts'

describe('names', () => {
  it('refuses drawers, as files and as folders', () => {
    assertFinds(namesRule, { 'packages/a/src/utils.ts': '' }, /"utils" is a drawer/)
    assertFinds(namesRule, { 'packages/a/src/helpers/x.ts': '' }, /"helpers" is a drawer/)
    assertFinds(namesRule, { 'packages/a/src/types.test.ts': '' }, /"types" is a drawer/)
  })

  it('refuses other cases and roles in the name', () => {
    assertFinds(namesRule, { 'packages/a/src/OrderStore.ts': '' }, /kebab-case/)
    assertFinds(namesRule, { 'packages/a/src/order.service.ts': '' }, /without a role/)
    assertFinds(namesRule, { 'apps/a/.t.mjs': '' }, /kebab-case/)
  })

  it('takes kebab-case and the suffixes of the tiers', () => {
    assertQuiet(namesRule, {
      'packages/a/src/order-2.int.test.ts': '',
      'bench/orders.compare.ts': '',
      'apps/a/bin/a.mjs': '',
    })
  })
})
