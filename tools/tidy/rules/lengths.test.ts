import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createTree } from '../tree.ts'
import { lengthsRule, ratchetPath, tightenedRatchet } from './lengths.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const lines = (count: number) => '// x\n'.repeat(count)
const path = 'packages/a/src/a.ts'

describe('lengths', () => {
  it('refuses a file over 350 lines, and with the ratchet one that grew', () => {
    assertFinds(lengthsRule, { [path]: lines(351) }, /has 351 lines, 350 are allowed/)
    assertFinds(lengthsRule, { [path]: lines(361), [ratchetPath]: `${path} 360\n` }, /361 lines, 360 are allowed/)
    assertQuiet(lengthsRule, { [path]: lines(360), [ratchetPath]: `${path} 360\n` })
    assertQuiet(lengthsRule, { [path]: lines(350), 'packages/a/src/a.test.ts': lines(600) })
  })

  it('refuses a file over 600 lines whatever the ratchet says', () => {
    assertFinds(lengthsRule, { [path]: lines(601), [ratchetPath]: `${path} 601\n` }, /600 is the most/)
  })

  it('refuses a function over 70 lines without the functions inside it', () => {
    assertFinds(lengthsRule, { [path]: `function f(a: { b: 1 }): Promise<{ c: 1 }> {\n${lines(70)}}` }, /f\(\) has 72/)
    assertQuiet(lengthsRule, { [path]: `function f() {\n${lines(30)}return {\ng() {\n${lines(60)}} }\n}` })
    assertFinds(lengthsRule, { [path]: `const f = async <T>(a: T) => {\n${lines(70)}}` }, /f\(\) has 72/)
    assertQuiet(lengthsRule, { [path]: `if (a) {\n${lines(90)}}\nfor (const x of y) {\n${lines(90)}}` })
  })

  it('refuses a ratchet that is looser than it has to be', () => {
    assertFinds(lengthsRule, { [path]: lines(355), [ratchetPath]: `${path} 360\n` }, /it is shorter now/)
    assertFinds(lengthsRule, { [path]: lines(1), [ratchetPath]: `${path} 360\n` }, /it is shorter now/)
  })

  it('tightenedRatchet() takes in what got shorter and never adds', () => {
    const files = { [path]: lines(355), 'packages/a/src/b.ts': lines(400), [ratchetPath]: `${path} 360\n` }
    assert.equal(tightenedRatchet(createTree(new Map(Object.entries(files)))), `${path} 355\n`)
  })
})
