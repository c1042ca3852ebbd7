// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the inputs are code
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codeOf } from './code.ts'
import { findFunctions } from './functions.ts'
import { parseModule } from './module.ts'
import { tokenize } from './tokenizer.ts'

const parse = (text: string) => parseModule(tokenize(text))

function imports(text: string): readonly string[] {
  return parse(text).imports.map(({ specifier, form, typeOnly, names }) => {
    return `${form} ${specifier}${typeOnly ? ' (types)' : ''}: ${names.map(({ name }) => name).join(' ')}`
  })
}

const signatures = (text: string) => parse(text).exports.map(({ signature }) => signature)

describe('parseModule()', () => {
  it('reads every form of import', () => {
    for (const [text, expected] of [
      ["import 'a'", 'static a: '],
      ["import a from 'a'", 'static a: default'],
      ["import a, { b as c } from 'a'", 'static a: default b'],
      ["import * as a from 'a'", 'static a: *'],
      ["import type { A } from 'a'", 'static a (types): A'],
      ["import { type A, type B } from 'a'", 'static a (types): A B'],
      ["import { type A, b } from 'a'", 'static a: A b'],
      ["import type from 'a'", 'static a: '],
      ["const a = await import('a')", 'dynamic a: *'],
      ["type A = import('a').A", 'dynamic a: *'],
      ["import.meta.resolve('a')", 'resolve a: *'],
      ["new Worker(new URL('./w.ts', import.meta.url))", 'resolve ./w.ts: *'],
      ["new URL('w.ts', import.meta.url)", 'resolve ./w.ts: *'],
      ["join(import.meta.dirname, '..', 'w.ts')", 'resolve ./../w.ts: *'],
      ["export { a, type B } from 'a'", 'reexport a: a B'],
      ["export type * from 'a'", 'reexport a (types): *'],
    ] as const) {
      assert.deepEqual(imports(text), [expected], text)
    }
  })

  it('sees no import in strings, comments, members and nested code', () => {
    assert.deepEqual(imports("new URL('../x.json', import.meta.resolve(name))"), [])
    assert.deepEqual(imports("const a = \"import 'x'\" // import 'y'\na.import('z'.length)\n({ import: 1 })"), [])
  })

  it('reads every form of export with its doc comment', () => {
    const text = `/** Says a. */
      export async function a() {}
      /* not doc */ export const b = 1
      export abstract class C {}
      export type { D, E as F } from './d.ts'
      export default 1`
    assert.deepEqual(
      parse(text).exports.map(({ kind, name, localName, doc }) => [kind, name, localName, doc !== undefined]),
      [
        ['function', 'a', 'a', true],
        ['const', 'b', 'b', false],
        ['class', 'C', 'C', false],
        ['list', 'D', 'D', false],
        ['list', 'F', 'E', false],
        ['default', 'default', 'default', false],
      ],
    )
  })

  it('prints signatures without bodies, however they are broken into lines', () => {
    assert.deepEqual(
      signatures(`
        export function a<T extends { b: 1 }>(
          one: T, // first
          two: () => void,
        ): Promise<{ c: T }> { return { c: one } }
        export type Shape =
          | { readonly a: 1 }
          | [string, number]
        const next = 1
        export interface Face extends Base<number> { a(): readonly 1[]
          readonly b?: string }
        export class Box<T> extends Base { #hidden = 1
          readonly open: { a: 1 } = { a: 1 }
          static { Box.x = 1 }
          get size(): number { return 1 }
          async put(item: T): Promise<void> { await item }
        }
        export const make = async (a: number): Promise<void> => { await a }
        export const table = { one: 1, two() {}, three } as const
        export const typed: ReadonlyMap<string, { a: 1 }> = new Map()
      `),
      [
        'function a<T extends { b: 1 }>(one: T, two: () => void): Promise<{ c: T }>',
        'type Shape = { readonly a: 1 } | [string, number]',
        'interface Face extends Base<number> { a(): readonly 1[]; readonly b?: string }',
        'class Box<T> extends Base { readonly open: { a: 1 }; get size(): number; async put(item: T): Promise<void> }',
        'const make = async (a: number): Promise<void>',
        'const table = { one, two, three }',
        'const typed: ReadonlyMap<string, { a: 1 }>',
      ],
    )
  })

  it('ends on any input', () => {
    const pieces =
      'import export from type class function const { } ( ) [ ] < > => : ; , = | . a "x" `${ } # async *'.split(' ')
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces, '\n'), { maxLength: 30 }), (words) => {
        const tokens = tokenize(words.join(' '))
        parseModule(tokens)
        findFunctions(codeOf(tokens))
      }),
      { numRuns: 3000 },
    )
  })
})

describe('findFunctions()', () => {
  it('finds functions by name and no other blocks', () => {
    const text = `
      function a(): Promise<{ x: 1 }> {}
      const b = async <T>(x: T): Promise<void> => {}
      class C { constructor() {} get d(): number { return 1 } async *[Symbol.iterator]() {} static #e() {} }
      const o = { f(x: { y: 1 }) {}, g: () => {} }
      if (a) {} for (;;) {} while (a) {} switch (a) {} try {} catch (e) {}
      const h = a ? f(x) : { y: 1 }
      interface I { j(): void }
      promise.catch((error) => {})
      case f(x): { }
    `
    const names = findFunctions(codeOf(tokenize(text))).map(({ name }) => name)
    assert.deepEqual(names, ['a', 'b', 'constructor', 'd', 'a function', '#e', 'f', 'g', 'a function'])
  })
})
