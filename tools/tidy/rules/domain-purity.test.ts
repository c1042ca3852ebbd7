import { describe, it } from 'node:test'
import { domainPurityRule } from './domain-purity.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const domain = (text: string) => ({ 'services/orders/src/domain/order.ts': text, 'packages/base/src/index.ts': '' })

describe('domain purity', () => {
  it('refuses node:, libraries and other packages', () => {
    assertFinds(domainPurityRule, domain("import { readFile } from 'node:fs'"), /imports node:fs/)
    assertFinds(domainPurityRule, domain("import 'kysely'"), /imports kysely/)
  })

  it('refuses waiting', () => {
    assertFinds(domainPurityRule, domain('export async function place() {}'), /waits \(async\)/)
    assertFinds(domainPurityRule, domain('export type Place = () => Promise<void>'), /waits \(Promise\)/)
  })

  it('refuses time, chance and identity', () => {
    assertFinds(domainPurityRule, domain("import type { Clock } from '@plinth/base'"), /takes Clock; pass the value/)
  })

  it('takes its own files, the ground and words inside comments and strings', () => {
    const text = "import { invariant } from '@plinth/base'\nimport './refusals.ts'\n// async\nconst a = 'await Promise'"
    assertQuiet(domainPurityRule, domain(text))
  })
})
