import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compose, type Middleware } from './middleware.ts'

type Trail = string[]

const mark =
  (name: string): Middleware<string, string, Trail> =>
  (next) =>
  (input, trail) => {
    trail.push(`${name} in`)
    const output = next(`${input}>${name}`, trail)
    trail.push(`${name} out`)
    return `${output}<${name}`
  }

describe('compose()', () => {
  it('puts the first middleware outermost', () => {
    const trail: Trail = []
    const handler = compose([mark('a'), mark('b')], (input: string, seen: Trail) => {
      seen.push('end')
      return input
    })
    assert.equal(handler('x', trail), 'x>a>b<b<a')
    assert.deepEqual(trail, ['a in', 'b in', 'end', 'b out', 'a out'])
  })

  it('is its end when the chain is empty', () => {
    const end = (input: number) => input + 1
    assert.equal(compose([], end), end)
  })

  it('builds the chain once, not for each call', () => {
    let built = 0
    const counted: Middleware<number, number, void> = (next) => {
      built++
      return next
    }
    const handler = compose([counted], (input: number) => input)
    handler(1, undefined)
    handler(2, undefined)
    assert.equal(built, 1)
  })

  it('lets a link answer without going on, and lets errors through', () => {
    const stop: Middleware<string, string, Trail> = () => () => 'stopped'
    assert.equal(compose([stop, mark('never')], () => assert.fail('must not run'))('x', []), 'stopped')
    const failing = compose([mark('a')], () => {
      throw new Error('end failed')
    })
    assert.throws(() => failing('x', []), /end failed/)
  })
})
