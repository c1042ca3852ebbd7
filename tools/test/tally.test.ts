import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createTally } from './tally.ts'

function tally() {
  const lines: string[] = []
  return { lines, tally: createTally((line) => lines.push(line)) }
}

const file = { file: 'a.test.ts', passed: 2, failures: [], skips: [], tookMs: 1 }

describe('createTally()', () => {
  it('close() ends with one line of counts and fails when something failed', () => {
    const { lines, tally: subject } = tally()
    subject.check('types', { problem: 'a.ts:1 wrong' }, 5)
    subject.check('breaking', { skipped: 'no release yet' }, 5)
    subject.file({ ...file, skips: [{ name: 'engine', reason: 'not installed' }] })
    assert.equal(subject.close(), 1)
    assert.equal(lines.at(-1)?.trim(), '2 passed, 1 failed, 2 skipped')
    assert.match(lines.join('\n'), /a\.test\.ts: engine\n {4}because: not installed/)
    assert.match(lines.join('\n'), /types\n {4}a\.ts:1 wrong/)
  })

  it('close() counts what a failing file printed as no failure of its own', () => {
    const { lines, tally: subject } = tally()
    const failures = [
      { name: 'bad', error: 'Error: x' },
      { name: '', error: 'printed by the file:\nlog' },
    ]
    subject.file({ ...file, failures })
    assert.equal(subject.close(), 1)
    assert.equal(lines.at(-1)?.trim(), '2 passed, 1 failed, 0 skipped')
  })

  it('close() fails when no test ran', () => {
    const { tally: subject } = tally()
    subject.check('breaking', { skipped: 'no release yet' }, 5)
    assert.equal(subject.close(), 1)
  })

  it('close() succeeds when all passed', () => {
    const { tally: subject } = tally()
    subject.file(file)
    assert.equal(subject.close(), 0)
  })
})
