import { describe, it } from 'node:test'
import { indexFormRule } from './index-form.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const index = (text: string) => ({ 'packages/a/src/index.ts': `/** What it is. @module */\n${text}` })

describe('index form', () => {
  it('refuses "export *", declarations, imports, foreign names and other tables of contents', () => {
    assertFinds(indexFormRule, index("export * from './a.ts'"), /instead of "export \*"/)
    assertFinds(indexFormRule, index('export const a = 1'), /a is declared here/)
    assertFinds(indexFormRule, index("import './a.ts'"), /An index only lists/)
    assertFinds(indexFormRule, index("export { z } from 'zod'"), /not ours to export/)
    assertFinds(indexFormRule, index("export { z } from './b/index.ts'"), /another table of contents/)
  })

  it('refuses an index that does not say what is inside', () => {
    assertFinds(indexFormRule, { 'packages/a/src/index.ts': "export { a } from './a.ts'" }, /@module/)
  })

  it('takes a list of names and types', () => {
    assertQuiet(indexFormRule, index("export { a, type B } from './a.ts'\nexport type { C } from './c.ts'"))
  })
})
