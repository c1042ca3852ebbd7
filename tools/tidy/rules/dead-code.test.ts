import { describe, it } from 'node:test'
import { deadCodeRule } from './dead-code.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const index = { 'packages/a/src/index.ts': "export { a } from './a.ts'" }

describe('dead code', () => {
  it('refuses a file that only a test reaches', () => {
    const files = {
      ...index,
      'packages/a/src/a.ts': 'export const a = 1',
      'packages/a/src/b.ts': 'export const b = 1',
      'packages/a/src/b.test.ts': "import { b } from './b.ts'",
    }
    assertFinds(deadCodeRule, files, /^packages\/a\/src\/b\.ts:1 Nothing that is exported or started/)
  })

  it('refuses an export that no other file takes', () => {
    const files = { ...index, 'packages/a/src/a.ts': 'export const a = 1\nexport const spare = 2' }
    assertFinds(deadCodeRule, files, /a\.ts:2 No other file takes spare/)
  })

  it('takes workers, dynamic imports, options of a function in use, and names that only tests take', () => {
    assertQuiet(deadCodeRule, {
      ...index,
      'packages/a/src/a.ts':
        "export interface AOptions {}\nexport function a(o: AOptions) { new URL('./w.ts', import.meta.url); import('./d.ts') }",
      'packages/a/src/w.ts': "import { b } from './b.ts'",
      'packages/a/src/d.ts': '',
      'packages/a/src/b.ts': 'export const b = 1\nexport const inside = 2',
      'packages/a/src/b.test.ts': "import { inside } from './b.ts'\njoin(import.meta.dirname, 'testing', 'child.ts')",
      'packages/a/src/testing/child.ts': '',
    })
  })
})
