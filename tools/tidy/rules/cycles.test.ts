import { describe, it } from 'node:test'
import { cyclesRule } from './cycles.ts'
import { assertFinds, assertQuiet } from './testing.ts'

describe('cycles', () => {
  it('refuses a circle of type imports and shows the shortest way round', () => {
    const files = {
      'packages/a/src/one.ts': "import type { Two } from './two.ts'",
      'packages/a/src/two.ts': "import './three.ts'\nimport './one.ts'",
      'packages/a/src/three.ts': "import './one.ts'",
    }
    assertFinds(cyclesRule, files, /one\.ts -> packages\/a\/src\/two\.ts -> packages\/a\/src\/one\.ts;/)
  })

  it('refuses a circle between packages and a file that imports itself', () => {
    const files = {
      'packages/a/src/index.ts': "export { x } from '@plinth/b'",
      'packages/b/src/index.ts': "import '@plinth/a'",
    }
    assertFinds(cyclesRule, files, /circle/)
    assertFinds(cyclesRule, { 'packages/a/src/x.ts': "import './x.ts'" }, /circle/)
  })

  it('takes a diamond and a worker that its starter names by URL', () => {
    assertQuiet(cyclesRule, {
      'packages/a/src/top.ts': "import './left.ts'\nimport './right.ts'\nnew URL('./worker.ts', import.meta.url)",
      'packages/a/src/left.ts': "import './end.ts'",
      'packages/a/src/right.ts': "import './end.ts'",
      'packages/a/src/end.ts': '',
      'packages/a/src/worker.ts': "import './top.ts'",
    })
  })
})
