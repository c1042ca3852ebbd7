import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readmesRule } from './readmes.ts'
import { assertFinds, assertQuiet, findIn } from './testing.ts'

const roots = {
  'README.md': '',
  'ARCHITECTURE.md': '',
  'CONTRIBUTING.md': '',
  LICENSE: '',
  'docs/capabilities.md': '',
  'packages/a/src/index.ts': '',
}
const sections = ['When to use it', 'Example', 'Guarantees', 'Limits', 'Failure modes']
const readme = (headings: readonly string[], head = '# A\n\nOne sentence.\n') =>
  `${head}${headings.map((heading) => `\n## ${heading}\n\ntext\n`).join('')}`

describe('READMEs', () => {
  it('refuses a package without one', () => {
    assertFinds(readmesRule, roots, /packages\/a\/README\.md:1 The file is missing/)
  })

  it('refuses a missing section, a wrong order and a missing first sentence', () => {
    const withReadme = (text: string) => ({ ...roots, 'packages/a/README.md': text })
    assertFinds(readmesRule, withReadme(readme(sections.toSpliced(2, 1))), /no section "## Guarantees"/)
    const swapped = ['When', 'Example', 'Limits', 'Guarantees', 'Failure modes']
    assertFinds(readmesRule, withReadme(readme(swapped)), /"Limits and defaults" stands in the wrong place/)
    assertFinds(readmesRule, withReadme(readme(sections, '# A\n')), /one sentence/)
  })

  it('takes the right order with other sections between', () => {
    assertQuiet(readmesRule, {
      ...roots,
      'packages/a/README.md': readme([...sections.toSpliced(3, 0, 'Engines'), 'Non-goals']),
    })
  })

  it('refuses a repository without its maps', () => {
    const { LICENSE: _, ...rest } = roots
    assert.ok(findIn(readmesRule, rest).some((found) => found.startsWith('LICENSE:1')))
  })
})
