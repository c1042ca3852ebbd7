import { PlatformError } from '@plinth/base'
import type { AnyModule } from './module.ts'

/** One module in the graph. */
export interface GraphNode {
  readonly module: string
  /** Keys it needs and provides, by name. */
  readonly needs: readonly string[]
  readonly provides: readonly string[]
  /** Modules it starts after, directly. */
  readonly after: readonly string[]
  /** Longest way to a module without needs: modules of one level can start together. */
  readonly level: number
}

/** How the modules of an assembly hang together, in an order in which they can start. */
export interface Graph {
  readonly nodes: readonly GraphNode[]
  /** One module a line, indented by level, with what it needs. */
  toText(): string
  toJSON(): { readonly modules: readonly GraphNode[] }
  /** For Graphviz: an edge from each module to the ones it needs, labelled with the key. */
  toDot(): string
}

/** One thing wrong with the wiring. */
export interface WiringProblem {
  readonly rule: 'missing' | 'duplicate' | 'circular'
  /** The key, or the name of a module given twice. */
  readonly part: string
  readonly message: string
}

/**
 * Puts modules in starting order.
 *
 * @throws PlatformError `kernel.wiring_broken` (precondition) naming every missing, duplicate and circular part.
 */
export function buildGraph(modules: readonly AnyModule[]): Graph {
  const providers = new Map<string, AnyModule>()
  const problems: WiringProblem[] = [...duplicates(modules, providers), ...missing(modules, providers)]
  const after = new Map(modules.map((module) => [module.name, dependenciesOf(module, providers)]))
  const { order, cycles } = sortByDependency(after)
  for (const cycle of cycles) {
    problems.push({
      rule: 'circular',
      part: cycle[0] as string,
      message: `circular: ${describeCycle(cycle, modules, providers)}`,
    })
  }
  if (problems.length > 0) throw wiringError(problems)
  return createGraph(order, { modules, after })
}

function* duplicates(modules: readonly AnyModule[], providers: Map<string, AnyModule>): Generator<WiringProblem> {
  const names = new Set<string>()
  for (const module of modules) {
    if (names.has(module.name)) {
      yield { rule: 'duplicate', part: module.name, message: `duplicate: two modules are named ${module.name}` }
    }
    names.add(module.name)
    for (const { name } of Object.values(module.provides)) {
      const other = providers.get(name)
      if (other) {
        const message = `duplicate: ${name} is provided by ${other.name} and by ${module.name}`
        yield { rule: 'duplicate', part: name, message }
      } else providers.set(name, module)
    }
  }
}

function* missing(modules: readonly AnyModule[], providers: ReadonlyMap<string, AnyModule>): Generator<WiringProblem> {
  for (const module of modules) {
    for (const { name } of Object.values(module.needs)) {
      if (providers.has(name)) continue
      const path = pathTo(module, modules)
      yield {
        rule: 'missing',
        part: name,
        message: `missing: no module provides ${name}, needed by ${path.join(' <- ')}`,
      }
    }
  }
}

/** The module and one chain of those that need it, so that a reader sees what pulled it in. */
function pathTo(module: AnyModule, modules: readonly AnyModule[]): readonly string[] {
  const path = [module.name]
  let at: AnyModule | undefined = module
  while (at) {
    const provided = new Set(Object.values(at.provides).map(({ name }) => name))
    at = modules.find(
      (other) => !path.includes(other.name) && Object.values(other.needs).some(({ name }) => provided.has(name)),
    )
    if (at) path.push(at.name)
  }
  return path
}

function dependenciesOf(module: AnyModule, providers: ReadonlyMap<string, AnyModule>): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { name } of Object.values(module.needs)) {
    const provider = providers.get(name)
    if (provider) names.add(provider.name)
  }
  return names
}

/** Depth first; a module met again while still open closes a cycle. Ties keep the order in which modules were given. */
function sortByDependency(after: ReadonlyMap<string, ReadonlySet<string>>): { order: string[]; cycles: string[][] } {
  const order: string[] = []
  const cycles: string[][] = []
  const state = new Map<string, 'open' | 'done'>()
  const path: string[] = []
  const visit = (name: string): void => {
    if (state.get(name) === 'done') return
    if (state.get(name) === 'open') {
      cycles.push(path.slice(path.indexOf(name)))
      return
    }
    state.set(name, 'open')
    path.push(name)
    for (const each of after.get(name) ?? []) visit(each)
    path.pop()
    state.set(name, 'done')
    order.push(name)
  }
  for (const name of after.keys()) visit(name)
  return { order, cycles }
}

function describeCycle(
  cycle: readonly string[],
  modules: readonly AnyModule[],
  providers: ReadonlyMap<string, AnyModule>,
): string {
  const byName = new Map(modules.map((module) => [module.name, module]))
  const steps = cycle.map((name, at) => {
    const next = cycle[(at + 1) % cycle.length]
    const link = Object.values(byName.get(name)?.needs ?? {}).find((each) => providers.get(each.name)?.name === next)
    return `${name} needs ${link?.name} of`
  })
  return `${steps.join(' ')} ${cycle[0]}`
}

function wiringError(problems: readonly WiringProblem[]): PlatformError {
  const lines = problems.map(({ message }) => message)
  return new PlatformError(`Cannot assemble the application:\n  ${lines.join('\n  ')}`, {
    kind: 'precondition',
    code: 'kernel.wiring_broken',
    details: { problems: problems.map((problem) => ({ ...problem })) },
  })
}

function createGraph(
  order: readonly string[],
  parts: { readonly modules: readonly AnyModule[]; readonly after: ReadonlyMap<string, ReadonlySet<string>> },
): Graph {
  const byName = new Map(parts.modules.map((module) => [module.name, module]))
  const levels = new Map<string, number>()
  const nodes = order.map((name): GraphNode => {
    const module = byName.get(name) as AnyModule
    const after = [...(parts.after.get(name) ?? [])]
    const level = after.reduce((highest, each) => Math.max(highest, (levels.get(each) ?? 0) + 1), 0)
    levels.set(name, level)
    return { module: name, needs: namesOf(module.needs), provides: namesOf(module.provides), after, level }
  })
  return {
    nodes,
    toText: () => nodes.map(nodeText).join('\n'),
    toJSON: () => ({ modules: nodes }),
    toDot: () => graphDot(nodes),
  }
}

function nodeText(node: GraphNode): string {
  const needs = node.needs.length > 0 ? ` <- ${node.needs.join(', ')}` : ''
  const provides = node.provides.length > 0 ? ` -> ${node.provides.join(', ')}` : ''
  return `${'  '.repeat(node.level)}${node.module}${needs}${provides}`
}

function graphDot(nodes: readonly GraphNode[]): string {
  const provider = new Map(nodes.flatMap((node) => node.provides.map((name) => [name, node.module] as const)))
  const lines = nodes.flatMap((node) => [
    `  ${JSON.stringify(node.module)};`,
    ...node.needs.map(
      (name) =>
        `  ${JSON.stringify(node.module)} -> ${JSON.stringify(provider.get(name))} [label=${JSON.stringify(name)}];`,
    ),
  ])
  return ['digraph plinth {', '  rankdir=LR;', '  node [shape=box];', ...lines, '}'].join('\n')
}

function namesOf(keys: AnyModule['needs']): readonly string[] {
  return Object.values(keys).map(({ name }) => name)
}
