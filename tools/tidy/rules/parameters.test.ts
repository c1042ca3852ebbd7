import { describe, it } from 'node:test'
import { parametersRule } from './parameters.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const file = (text: string) => ({ 'packages/a/src/a.ts': text })

describe('parameters', () => {
  it('refuses a fourth argument', () => {
    const text = 'export function f<A, B>(a: Map<A, B>, b: { c: 1, d: 2 }, e: [1, 2], g = 1): void {}'
    assertFinds(parametersRule, file(text), /a\.ts:1 f\(\) takes 4 arguments/)
    assertFinds(parametersRule, file('export const f = (a: 1, b: 2, c: 3, d: 4) => {}'), /takes 4/)
  })

  it('takes two and options, also over many lines, and what is private', () => {
    const text = 'export function f(\n  a: Map<1, 2>,\n  b: (c: 1, d: 2) => void,\n  options: { e?: 1 } = {},\n) {}'
    assertQuiet(parametersRule, file(`${text}\nfunction g(a, b, c, d, e) {}\nexport function h() {}`))
  })
})
