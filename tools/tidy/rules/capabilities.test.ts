import { describe, it } from 'node:test'
import { capabilitiesRule } from './capabilities.ts'
import { assertFinds, assertQuiet } from './testing.ts'

const files = (text: string) => ({
  'docs/capabilities.md': text,
  'package.json': '{ "scripts": { "test": "x" } }',
  'apps/plinth/src/main.ts': "program.command('orders <id>')",
})

describe('maps', () => {
  it('refuses paths, scripts and commands that are not there', () => {
    assertFinds(capabilitiesRule, files('| 1 | `packages/gone` |'), /packages\/gone does not exist/)
    assertFinds(capabilitiesRule, files('`npm run gone`'), /no script "gone"/)
    assertFinds(capabilitiesRule, files('\n`plinth fly --high`'), /capabilities\.md:2 .*no command "fly"/)
  })

  it('takes those that are', () => {
    assertQuiet(capabilitiesRule, files('`apps/plinth/` `npm test` `plinth orders 1` `npm ci` `a/b`'))
  })
})
