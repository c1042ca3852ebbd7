import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compilePattern } from './pattern.ts'

describe('compilePattern()', () => {
  it('compilePattern() gives a pattern the meaning it has in RE2', () => {
    const rows: [string, string, boolean][] = [
      ['^[A-Z]{3}$', 'USD', true],
      ['^[A-Z]{3}$', 'USD\n', false],
      ['^a.c$', 'a\u2028c', true],
      ['^a.c$', 'a\nc', false],
      ['^\\s$', '\u00a0', false],
      ['^[\\s]$', '\t', true],
      ['\\Aab\\z', 'ab', true],
      ['^[]a]$', ']', true],
      ['^[^]a]$', ']', false],
      ['^\\-\\_\\@$', '-_@', true],
      ['^[\\-\\_\\.]+$', '-_.', true],
      ['^(?i:ab)$', 'AB', true],
      ['^\\p{L}+$', 'ü', true],
      ['^.$', '😀', true],
    ]
    for (const [pattern, text, matches] of rows) {
      assert.equal(compilePattern(pattern).test(text), matches, `${pattern} on ${JSON.stringify(text)}`)
    }
  })

  it('compilePattern() refuses what RE2 does not know or JavaScript does not', () => {
    for (const pattern of ['(?=a)', '(?<!a)', '(a)\\1', '\\Qa\\E', '[[:alpha:]]', '(', 'a**', '[\\S]', '\\cA']) {
      assert.throws(() => compilePattern(pattern), TypeError, pattern)
    }
  })
})
