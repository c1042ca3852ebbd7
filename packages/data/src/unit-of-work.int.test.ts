import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'

const program = `
  import { runCallbacks } from ${JSON.stringify(new URL('unit-of-work.ts', import.meta.url).href)}
  runCallbacks([() => { throw new Error('a bug') }, () => console.log('second')])
  console.log('after')
`

describe('runCallbacks()', () => {
  it('calls every callback and ends the process on one that throws, as any bug does', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    })
    assert.equal(stdout, 'second\nafter\n')
    assert.match(stderr, /a bug/)
    assert.notEqual(status, 0)
  })
})
