import { describe, it } from 'node:test'
import { lockFileRule } from './lock-file.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const lock = (packages: object) => ({ 'package-lock.json': JSON.stringify({ packages }) })
const tool = { 'node_modules/tool': { version: '1.0.0', optionalDependencies: { 'tool-mac': '1.0.0' } } }

describe('lock file', () => {
  it('refuses a missing package of another platform', () => {
    assertFinds(lockFileRule, lock(tool), /tool-mac, an optional package of node_modules\/tool, is missing/)
  })

  it('refuses the address of a registry', () => {
    const entry = { version: '1.0.0', resolved: 'https://example.org/a.tgz' }
    assertFinds(lockFileRule, lock({ 'node_modules/a': entry }), /names where it was fetched/)
  })

  it('refuses a version that is not exact', () => {
    assertFinds(lockFileRule, { 'package.json': '{ "dependencies": { "a": "^1.0.0" } }' }, /write the exact version/)
  })

  it('takes a whole lock file, with links to workspaces', () => {
    const links = { 'node_modules/@plinth/a': { resolved: 'packages/a', link: true } }
    assertQuiet(lockFileRule, lock({ ...tool, ...links, 'node_modules/tool-mac': { version: '1.0.0' } }))
  })
})
