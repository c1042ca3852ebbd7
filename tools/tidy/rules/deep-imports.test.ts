import { describe, it } from 'node:test'
import { deepImportsRule } from './deep-imports.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const a = { 'packages/a/src/index.ts': '', 'packages/a/src/inside.ts': '', 'packages/a/src/testing.ts': '' }

describe('deep imports', () => {
  it('refuses a path that the package does not export', () => {
    const files = { ...a, 'packages/b/src/x.ts': "import '@plinth/a/src/inside.ts'" }
    assertFinds(deepImportsRule, files, /@plinth\/a does not export "\.\/src\/inside\.ts"; it exports \., \.\/testing/)
  })

  it('refuses a relative path into another package', () => {
    const files = { ...a, 'packages/b/src/x.ts': "import '../../a/src/inside.ts'" }
    assertFinds(deepImportsRule, files, /reaches into packages\/a; import @plinth\/a/)
  })

  it('refuses a path that leads nowhere', () => {
    assertFinds(deepImportsRule, { 'packages/b/src/x.ts': "import './gone.ts'" }, /which does not exist/)
  })

  it('takes the inside of an app in tests/', () => {
    assertQuiet(deepImportsRule, { 'apps/x/src/a.ts': '', 'tests/shop/x.ts': "import '../../apps/x/src/a.ts'" })
    assertFinds(deepImportsRule, { ...a, 'tests/shop/x.ts': "import '../../packages/a/src/inside.ts'" }, /reaches into/)
  })

  it('takes exported subpaths and own files', () => {
    assertQuiet(deepImportsRule, { ...a, 'packages/b/src/x.ts': "import '@plinth/a/testing'\nimport './x.ts'" })
  })
})
