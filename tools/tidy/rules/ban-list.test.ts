import { describe, it } from 'node:test'
import { banListRule } from './ban-list.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const path = 'packages/a/src/a.ts'

describe('ban list', () => {
  it('refuses each banned word', () => {
    for (const text of [
      'Date.now()',
      'new Date()',
      'performance.now()',
      'Math.random()',
      'crypto.randomUUID()',
      'randomUUIDv7()',
      'setTimeout(() => {}, 1)',
      'setInterval(f, 1)',
      'AbortSignal.timeout(5)',
      'process.env.HOME',
      'process.exit(1)',
      'console.log(1)',
      "export * from './b.ts'",
      'export default 1',
      'enum Color { Red }',
      'namespace A { }',
      'Object.assign(this, options)',
      "it.only('x', () => {})",
      "import 'node:timers/promises'",
      "import assert from 'node:assert'",
      'class A {\n  private b = 1\n}',
      'class A {\n  constructor(public readonly a: number) {}\n}',
    ]) {
      assertFinds(banListRule, { [path]: text }, /is banned; use/)
    }
  })

  it('takes what only looks like one', () => {
    for (const text of [
      '// Date.now()\nconst a = "console.log"',
      'new Date(clock.nowMs())',
      'clock.setTimeout(1)',
      'const row = { private: 1, enum: 2 }',
      'a.private = 1',
      'class A {\n  private constructor() {}\n}',
      "export { a as default2 } from './b.ts'",
    ]) {
      assertQuiet(banListRule, { [path]: text })
    }
  })

  it('knows where each word belongs', () => {
    assertQuiet(banListRule, { 'packages/base/src/clock.ts': 'Date.now(); setTimeout(f, 1)' })
    assertQuiet(banListRule, { 'apps/plinth/src/main.ts': 'console.log(process.env.HOME)' })
    assertQuiet(banListRule, { 'packages/a/src/a.int.test.ts': "import 'node:timers/promises'\nsetTimeout(f, 1)" })
    assertFinds(banListRule, { 'packages/a/src/a.test.ts': 'setTimeout(f, 1)' }, /clock/)
    assertFinds(banListRule, { 'services/orders/src/a.ts': 'console.log(1)' }, /Logger/)
  })
})
