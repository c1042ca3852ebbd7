import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { extractExamples } from './extract.ts'

describe('extractExamples()', () => {
  it('takes blocks out of doc comments with the line of their first statement', () => {
    const text = ['/**', ' * Adds.', ' *', ' * ```ts', ' * f(', ' *   1)', ' *', ' * g()', ' * ```', ' */'].join('\n')
    assert.deepEqual(extractExamples('a.ts', text), [{ where: 'a.ts:5', code: 'f(\n  1)\n\ng()\n' }])
  })

  it('takes all ts blocks of a README but those marked no-run, and no other language', () => {
    const text = '```ts\na()\n```\n```ts no-run\nb()\n```\n```sh\nc\n```\n```ts\nd()\n```\n'
    assert.deepEqual(
      extractExamples('README.md', text).map(({ where, code }) => [where, code]),
      [
        ['README.md:2', 'a()\n'],
        ['README.md:11', 'd()\n'],
      ],
    )
  })

  it('turns an arrow comment into an assertion', () => {
    const [example] = extractExamples('README.md', '```ts\nadd(1, 2) // => 3\n```')
    assert.equal(example?.code, "(await import('node:assert/strict')).default.deepEqual(add(1, 2), 3)\n")
  })

  it('leaves template strings in code alone', () => {
    assert.deepEqual(extractExamples('a.ts', 'const text = `\n```ts\nx\n```\n`'), [])
  })
})
