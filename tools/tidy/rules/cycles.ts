import { resolve } from '../resolve.ts'
import type { Finding, Rule, Tree } from '../tree.ts'

/** No file reaches itself through its imports; imports of types count, because readers follow them too. */
export const cyclesRule: Rule = {
  name: 'cycles',
  check(tree) {
    return findCycles(graphOf(tree)).map((cycle): Finding => {
      const path = cycle[0] ?? ''
      const message = `Imports run in a circle: ${[...cycle, path].join(' -> ')}; move what both need to a third file`
      return { path, line: 1, message }
    })
  },
}

function graphOf(tree: Tree): ReadonlyMap<string, readonly string[]> {
  return new Map(
    tree.sources.map((file) => {
      const targets = file.module.imports
        // A path that is resolved is not loaded: workers live in another thread.
        .filter(({ form }) => form !== 'resolve')
        .map(({ specifier }) => resolve(tree, file, specifier))
      return [file.path, targets.flatMap((target) => (target.is === 'file' ? [target.path] : []))] as const
    }),
  )
}

/** One cycle for every strongly connected part (Tarjan 1972), told from its first file by name. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const cycles: string[][] = []
  const visit = (node: string) => {
    index.set(node, index.size)
    low.set(node, index.get(node) as number)
    stack.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue
      if (!index.has(next)) visit(next)
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) as number, low.get(next) as number))
    }
    if (low.get(node) !== index.get(node)) return
    const part = new Set(stack.splice(stack.indexOf(node)))
    const isLoop = part.size > 1 || graph.get(node)?.includes(node)
    if (isLoop) cycles.push(shortestLoop(graph, part))
  }
  for (const node of graph.keys()) if (!index.has(node)) visit(node)
  return cycles
}

/** A strongly connected part can be large; people mend the shortest way round. */
function shortestLoop(graph: ReadonlyMap<string, readonly string[]>, part: ReadonlySet<string>): string[] {
  const start = [...part].sort()[0] ?? ''
  const from = new Map<string, string>()
  const queue = [start]
  for (const node of queue) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) {
        const loop = [node]
        for (let at = node; at !== start; loop.unshift(at)) at = from.get(at) as string
        return loop
      }
      if (!part.has(next) || from.has(next)) continue
      from.set(next, node)
      queue.push(next)
    }
  }
  return [...part]
}
