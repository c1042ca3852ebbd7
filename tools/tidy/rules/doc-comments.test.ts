import { describe, it } from 'node:test'
import { docCommentsRule } from './doc-comments.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const files = (text: string) => ({
  'packages/a/src/index.ts': "export { a } from './a.ts'",
  'packages/a/src/a.ts': text,
})

describe('doc comments', () => {
  it('refuses a public name without one, with an empty one or with tags only', () => {
    assertFinds(docCommentsRule, files('export const a = 1'), /a\.ts:1 a is exported without a doc comment/)
    assertFinds(docCommentsRule, files('// not a doc comment\nexport const a = 1'), /without a doc comment/)
    assertFinds(docCommentsRule, files('/** A. */\nexport const a = 1'), /says nothing/)
    assertFinds(docCommentsRule, files('/** @example nothing more here */\nexport const a = 1'), /first sentence/)
  })

  it('takes a sentence, and leaves what is not public to its name', () => {
    assertQuiet(docCommentsRule, files('/** Says what a is. */\nexport const a = 1\nexport const inside = 2'))
  })
})
