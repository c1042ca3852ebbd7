import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PlatformError } from '@plinth/base'
import fc from 'fast-check'
import { type AnyModule, assemble, defineModule, key, provide, replace, type WiringProblem } from '../index.ts'
import { buildGraph } from './graph.ts'

function module(name: string, needs: readonly string[] = [], provides: readonly string[] = [name]): AnyModule {
  const keys = (names: readonly string[]) => Object.fromEntries(names.map((each) => [each, key<number>()(each)]))
  return { name, needs: keys(needs), provides: keys(provides), start: () => ({}) }
}

function problemsOf(modules: readonly AnyModule[]): readonly WiringProblem[] {
  try {
    buildGraph(modules)
  } catch (error) {
    assert.equal((error as PlatformError).code, 'kernel.wiring_broken')
    return (error as PlatformError).details.problems as unknown as readonly WiringProblem[]
  }
  return []
}

describe('graph', () => {
  it('buildGraph() names every missing, duplicate and circular part, with the path', () => {
    const problems = problemsOf([
      module('edge', ['orders']),
      module('orders', ['store', 'clock']),
      module('orders-two', [], ['orders']),
      module('a', ['b']),
      module('b', ['c']),
      module('c', ['a']),
      module('twin', [], []),
      module('twin', [], []),
    ])
    assert.deepEqual(
      problems.map(({ rule, part, message }) => [rule, part, message]),
      [
        ['duplicate', 'orders', 'duplicate: orders is provided by orders and by orders-two'],
        ['duplicate', 'twin', 'duplicate: two modules are named twin'],
        ['missing', 'store', 'missing: no module provides store, needed by orders <- edge'],
        ['missing', 'clock', 'missing: no module provides clock, needed by orders <- edge'],
        ['circular', 'a', 'circular: a needs b of b needs c of c needs a of a'],
      ],
    )
    assert.match(problemsOf([module('self', ['self'])])[0]?.message ?? '', /^circular: self needs self of self$/)
  })

  it('Graph prints itself as text, JSON and DOT', () => {
    const { graph } = assemble([module('edge', ['orders'], []), module('orders', ['clock']), module('clock')])
    assert.equal(graph.toText(), 'clock -> clock\n  orders <- clock -> orders\n    edge <- orders')
    assert.deepEqual(JSON.parse(JSON.stringify(graph.toJSON())).modules[1], {
      module: 'orders',
      needs: ['clock'],
      provides: ['orders'],
      after: ['clock'],
      level: 1,
    })
    assert.equal(
      graph.toDot(),
      [
        'digraph plinth {',
        '  rankdir=LR;',
        '  node [shape=box];',
        '  "clock";',
        '  "orders";',
        '  "orders" -> "clock" [label="clock"];',
        '  "edge";',
        '  "edge" -> "orders" [label="orders"];',
        '}',
      ].join('\n'),
    )
  })

  it('buildGraph() puts any acyclic wiring in an order in which every need comes first', () => {
    const wiring = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), { maxLength: 30 })
    fc.assert(
      fc.property(wiring, fc.infiniteStream(fc.nat()), (needs, picks) => {
        const modules = needs.map((each, at) =>
          module(
            `m${at}`,
            [...new Set(each.filter((other) => other < at))].map((other) => `m${other}`),
          ),
        )
        const shuffled = modules
          .map((each) => ({ each, rank: picks.next().value as number }))
          .toSorted((a, b) => a.rank - b.rank)
        const { nodes } = buildGraph(shuffled.map(({ each }) => each))
        const seen = new Set<string>()
        for (const node of nodes) {
          assert.ok(node.after.every((other) => seen.has(other)))
          seen.add(node.module)
        }
        assert.equal(seen.size, modules.length)
      }),
    )
  })
})

describe('replace', () => {
  const Name = key<string>()('name')
  const Greeting = key<string>()('greeting')
  const greeter = defineModule({
    name: 'greeter',
    needs: { who: Name },
    provides: { greeting: Greeting },
    start: ({ who }) => ({ provides: { greeting: `hello ${who}` } }),
  })
  const modules = [provide(Name, 'ada'), greeter] as const

  it('replace() swaps the module that provides the same key', async () => {
    await using running = await assemble(replace(modules, provide(Name, 'grace'))).start()
    assert.equal(running.get(Greeting), 'hello grace')
  })

  it('replace() refuses to replace what is not there', () => {
    assert.throws(() => replace([greeter], provide(Name, 'x')), {
      name: 'RangeError',
      message: /no module is named name/,
    })
  })
})
