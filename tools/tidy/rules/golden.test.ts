import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { goldenFiles } from '../golden.ts'
import { createTree } from '../tree.ts'
import { goldenRule } from './golden.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const files = {
  'packages/a/package.json': '{ "name": "@plinth/a", "exports": { ".": "./src/index.ts" } }',
  'packages/a/src/index.ts': "export { openStore, Level } from './store.ts'",
  'packages/a/src/store.ts': [
    "import fs from 'node:fs'",
    'export async function openStore(',
    '  path: string, // where',
    '  options: { readonly sync?: boolean } = {},',
    '): Promise<{ close(): void }> {',
    '  return { close() {} }',
    '}',
    'export const Level = { low: 1, high: 2 } as const',
  ].join('\n'),
}
const golden = Object.fromEntries(goldenFiles(createTree(new Map(Object.entries(files)))))

describe('golden files', () => {
  it('refuses sources that offer or import something else', () => {
    const grown = { ...files, ...golden, 'packages/a/src/index.ts': "export { openStore } from './store.ts'" }
    assertFinds(goldenRule, grown, /packages-a\.api\.txt:1 Differs from the sources .*Level/)
    const reaching = {
      ...files,
      ...golden,
      'packages/a/src/store.ts': `${files['packages/a/src/store.ts']}\nimport 'pg'`,
    }
    assertFinds(goldenRule, reaching, /deps\.txt:1 .*\+ pg/)
  })

  it('refuses the description of a package that is gone', () => {
    assertFinds(goldenRule, { ...files, ...golden, 'tools/tidy/golden/packages-b.api.txt': '' }, /remove the file/)
  })

  it('takes what follows from the sources, in which bodies and comments do not count', () => {
    assertQuiet(goldenRule, { ...files, ...golden })
    assert.equal(
      golden['tools/tidy/golden/packages-a.api.txt'],
      '@plinth/a\n  async function openStore(path: string, options: { readonly sync?: boolean } = {}): Promise<{ close(): void }>\n' +
        '  const Level = { low, high }\n',
    )
    assert.equal(golden['tools/tidy/golden/deps.txt'], 'packages/a\n  node:fs\n')
  })
})
