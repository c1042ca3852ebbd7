import { describe, it } from 'node:test'
import { errorCodesRule } from './error-codes.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const files = (source: string, row = '') => ({
  'packages/data/src/a.ts': source,
  'packages/data/README.md': `# Data\n\n| code | kind | when |\n|---|---|---|\n${row}\n`,
  'packages/base/src/index.ts': '',
})

describe('error codes', () => {
  it('refuses a code that the README does not list, also behind a condition', () => {
    assertFinds(errorCodesRule, files("fail({ code: 'data.full' })"), /a\.ts:1 The code "data\.full" is missing/)
    const choice = "fail({ code: late ? 'data.late' : 'data.full', kind: 'x.y' })"
    assertFinds(errorCodesRule, files(choice, '| `data.full` | exhausted | always |'), /"data\.late" is missing/)
  })

  it('refuses a row whose code nothing uses', () => {
    assertFinds(errorCodesRule, files('', '| `data.gone` | internal | never |'), /README\.md:5 .*no source uses it/)
  })

  it('refuses a code of another package that it does not list', () => {
    const failing = files("fail({ code: 'base.internal' })")
    assertFinds(errorCodesRule, failing, /"base\.internal" is not listed by packages\/base/)
    const row = '| `base.internal` | internal | never foreseen |'
    const base = { 'packages/base/README.md': row, 'packages/base/src/a.ts': "fail({ code: 'base.internal' })" }
    assertQuiet(errorCodesRule, { ...failing, ...base })
  })

  it('takes codes that stand on both sides, and refusals named without their prefix', () => {
    assertQuiet(errorCodesRule, files("fail({ code: 'data.full' })", '| `data.full` | exhausted | always |'))
    assertQuiet(errorCodesRule, files("refuse({ refused: 'taken' })", '| `data.taken` | conflict | twice |'))
  })
})
