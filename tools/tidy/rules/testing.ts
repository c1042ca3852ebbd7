import assert from 'node:assert/strict'
import { createTree, type Rule } from '../tree.ts'

/** A small repository: `packages/a/…` and so on. Folders get a package.json unless they bring one. */
export type Fixture = Readonly<Record<string, string>>

/** Runs a rule on a fixture and answers `path:line message` for each finding. */
export function findIn(rule: Rule, fixture: Fixture): readonly string[] {
  const texts = new Map(Object.entries(fixture))
  for (const path of Object.keys(fixture)) {
    const [top = '', name = ''] = path.split('/')
    const manifest = `${top}/${name}/package.json`
    if (!['packages', 'services', 'apps'].includes(top) || texts.has(manifest)) continue
    const suffix = top === 'services' ? '-service' : ''
    const exports =
      top === 'services'
        ? { '.': './src/compose.ts', './contract': './contract/index.ts' }
        : { '.': './src/index.ts', './testing': './src/testing.ts' }
    texts.set(manifest, JSON.stringify({ name: `@plinth/${name}${suffix}`, exports }))
  }
  return [...rule.check(createTree(texts))].map(({ path, line, message }) => `${path}:${line} ${message}`)
}

/** Asserts that a rule finds exactly one thing, at this place and with these words. */
export function assertFinds(rule: Rule, fixture: Fixture, expected: RegExp): void {
  const found = findIn(rule, fixture)
  assert.equal(found.length, 1, `expected one finding, got:\n${found.join('\n') || 'none'}`)
  assert.match(found[0] ?? '', expected)
}

/** Asserts that a rule has nothing to say. */
export function assertQuiet(rule: Rule, fixture: Fixture): void {
  assert.deepEqual(findIn(rule, fixture), [])
}
