import { describe, it } from 'node:test'
import { dependenciesRule } from './dependencies.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const manifest = (fields: object) => ({
  'package.json': JSON.stringify({ devDependencies: { 'fast-check': '1' } }),
  'packages/a/package.json': JSON.stringify({ name: '@plinth/a', ...fields }),
})

describe('dependencies', () => {
  it('refuses an import that is not declared', () => {
    const files = { ...manifest({}), 'packages/a/src/a.ts': "\nimport pg from 'pg'" }
    assertFinds(dependenciesRule, files, /^packages\/a\/src\/a\.ts:2 pg is imported but not declared/)
  })

  it('refuses a declaration that nothing imports', () => {
    assertFinds(dependenciesRule, manifest({ dependencies: { pg: '1' } }), /pg is declared but nothing imports it/)
  })

  it('takes what is declared, node: modules, and test tools of the root in tests only', () => {
    const files = {
      ...manifest({ dependencies: { '@scope/x': '1', swagger: '1' } }),
      'packages/a/src/a.ts': "import '@scope/x/deep'\nimport 'node:fs'\nimport.meta.resolve('swagger/index.html')",
      'packages/a/src/a.test.ts': "import 'fast-check'",
    }
    assertQuiet(dependenciesRule, files)
    assertFinds(dependenciesRule, { ...files, 'packages/a/src/b.ts': "import 'fast-check'" }, /fast-check/)
  })
})
