// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the inputs are code, and what looks like a placeholder is part of it
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { stringValue, tokenize } from './tokenizer.ts'

const brief = (source: string) => tokenize(source).map(({ kind, text }) => `${kind} ${text}`)

describe('tokenize()', () => {
  it('keeps words inside strings, templates, comments and regular expressions out of the code', () => {
    const source = "const a = 'import x' // import y\n/* import z */ `import ${b} import` + /import'/.test(c)"
    const names = tokenize(source).filter(({ kind }) => kind === 'name')
    assert.deepEqual(
      names.map(({ text }) => text),
      ['const', 'a', 'b', 'test', 'c'],
    )
  })

  it('tells division from a regular expression', () => {
    assert.deepEqual(brief('a / b / c'), ['name a', 'mark /', 'name b', 'mark /', 'name c'])
    assert.deepEqual(brief('return /[/]"/g'), ['name return', 'regex /[/]"/g'])
    assert.deepEqual(brief('f(x) / 2'), ['name f', 'mark (', 'name x', 'mark )', 'mark /', 'number 2'])
  })

  it('follows templates inside templates', () => {
    assert.deepEqual(brief('`a${`b${{ c: 1 }.c}`}d`'), [
      'template `a${',
      'template `b${',
      'mark {',
      'name c',
      'mark :',
      'number 1',
      'mark }',
      'mark .',
      'name c',
      'template }`',
      'template }d`',
    ])
  })

  it('counts lines, also those inside tokens', () => {
    assert.deepEqual(
      tokenize('/*\n\n*/ a\n`\n` b').map(({ line }) => line),
      [1, 3, 4, 5],
    )
  })

  it('reads numbers, private names and member access after a number', () => {
    assert.deepEqual(brief('1_000n 0xff 1e-3 this.#x a?.b'), [
      'number 1_000n',
      'number 0xff',
      'number 1e-3',
      'name this',
      'mark .',
      'name #x',
      'name a',
      'mark ?.',
      'name b',
    ])
  })

  it('loses no character of any input and never fails', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a1 /*`${}\'"\\\n()[].=>#'), maxLength: 40 }), (source) => {
        let end = source.startsWith('#!') ? source.indexOf('\n') >>> 0 : 0
        for (const { start, text } of tokenize(source)) {
          assert.match(source.slice(end, start), /^\s*$/)
          assert.equal(source.slice(start, start + text.length), text)
          end = start + text.length
        }
        assert.match(source.slice(end), /^\s*$/)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('stringValue()', () => {
  it("takes quotes and escapes off: 'it\\'s'", () => {
    const [token] = tokenize("'it\\'s'")
    assert.ok(token)
    assert.equal(stringValue(token), "it's")
  })
})
