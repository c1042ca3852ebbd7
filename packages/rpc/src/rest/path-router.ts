import { PlatformError } from '@plinth/base'
import { type PathTemplate, parsePathTemplate } from './path-template.ts'

/** What a route leads to, with what its template says. */
export interface PathRoute<Target> {
  /** `GET`; `*` takes every method that has no route of its own. */
  readonly method: string
  readonly template: PathTemplate
  readonly target: Target
}

/** A route that took a path. */
export interface PathMatch<Target> {
  readonly route: PathRoute<Target>
  /** As they came, not decoded; the verb is cut off. */
  readonly segments: readonly string[]
}

/**
 * Finds routes by path templates. Literals win over `*`, `*` over `**`, segment by segment from the left, and a
 * template with a verb over one without; a path that only a less exact route takes with this method goes there.
 */
export interface PathRouter<Target> {
  /** @throws PlatformError `rpc.invalid_path` when the path holds broken percent escapes. */
  find(method: string, path: string): PathMatch<Target> | undefined
  /** Every method the path takes; HEAD where GET is. */
  allowed(path: string): readonly string[]
}

interface Node<Target> {
  readonly literals: Map<string, Node<Target>>
  star: Node<Target> | undefined
  /** Leaf for `**`, by verb and method. */
  rest: Leaf<Target> | undefined
  /** Leaf of paths that end here. */
  end: Leaf<Target> | undefined
}
type Leaf<Target> = Map<string, Map<string, PathRoute<Target>>>

/**
 * Builds the router once.
 *
 * @throws TypeError naming both routes when two take the same paths with the same method.
 */
export function createPathRouter<Target>(
  routes: readonly { readonly method: string; readonly path: string; readonly target: Target }[],
): PathRouter<Target> {
  const root = createNode<Target>()
  for (const { method, path, target } of routes) add(root, { method, template: parsePathTemplate(path), target })
  return {
    find(method, path) {
      const segments = path.slice(1).split('/')
      const last = segments.length - 1
      const lastSegment = segments[last] as string
      const colon = lastSegment.lastIndexOf(':')
      if (colon >= 0) {
        const verb = lastSegment.slice(colon + 1)
        segments[last] = lastSegment.slice(0, colon)
        const route = search(root, { segments, verb, method }, 0)
        if (route) return { route, segments }
        segments[last] = lastSegment
      }
      const route = search(root, { segments, verb: '', method }, 0)
      return route && { route, segments }
    },
    allowed(path) {
      const methods = new Set<string>()
      const segments = path.slice(1).split('/')
      const last = segments.pop() as string
      const colon = last.lastIndexOf(':')
      if (colon >= 0) collect(root, [...segments, last.slice(0, colon)], { verb: last.slice(colon + 1), methods })
      collect(root, [...segments, last], { verb: '', methods })
      if (methods.has('GET')) methods.add('HEAD')
      methods.delete('*')
      return [...methods].sort()
    },
  }
}

function createNode<Target>(): Node<Target> {
  return { literals: new Map(), star: undefined, rest: undefined, end: undefined }
}

function add<Target>(root: Node<Target>, route: PathRoute<Target>): void {
  let node = root
  let leaf: Leaf<Target> | undefined
  for (const segment of route.template.segments) {
    if ('literal' in segment) {
      node = node.literals.getOrInsertComputed(decodeSegment(segment.literal), createNode<Target>)
    } else if (segment.wild === '*') {
      node.star ??= createNode()
      node = node.star
    } else {
      node.rest ??= new Map()
      leaf = node.rest
    }
  }
  if (!leaf) {
    node.end ??= new Map()
    leaf = node.end
  }
  const methods = leaf.getOrInsertComputed(route.template.verb, () => new Map<string, PathRoute<Target>>())
  const other = methods.get(route.method)
  if (other) {
    const both = `${route.method} ${other.template.text} and ${route.method} ${route.template.text}`
    throw new TypeError(`Cannot route ${both}: they take the same paths`)
  }
  methods.set(route.method, route)
}

interface Sought {
  readonly segments: readonly string[]
  readonly verb: string
  readonly method: string
}

/** A node is reached by one prefix only, so the search visits each at most once, whatever the path. */
function search<Target>(node: Node<Target>, sought: Sought, at: number): PathRoute<Target> | undefined {
  if (at === sought.segments.length) return pick(node.end, sought) ?? pick(node.rest, sought)
  const segment = sought.segments[at] as string
  if (segment !== '') {
    const exact = node.literals.size === 0 ? undefined : node.literals.get(decodeSegment(segment))
    const found = (exact && search(exact, sought, at + 1)) ?? (node.star && search(node.star, sought, at + 1))
    if (found) return found
  }
  return pick(node.rest, sought)
}

function pick<Target>(leaf: Leaf<Target> | undefined, sought: Sought): PathRoute<Target> | undefined {
  const methods = leaf?.get(sought.verb)
  if (!methods) return undefined
  return methods.get(sought.method) ?? (sought.method === 'HEAD' ? methods.get('GET') : undefined) ?? methods.get('*')
}

function collect<Target>(
  node: Node<Target>,
  segments: readonly string[],
  into: { readonly verb: string; readonly methods: Set<string> },
): void {
  const take = (leaf: Leaf<Target> | undefined) => {
    for (const method of leaf?.get(into.verb)?.keys() ?? []) into.methods.add(method)
  }
  take(node.rest)
  const [segment, ...others] = segments
  if (segment === undefined) {
    take(node.end)
    return
  }
  if (segment === '') return
  const exact = node.literals.get(decodeSegment(segment))
  if (exact) collect(exact, others, into)
  if (node.star) collect(node.star, others, into)
}

/** Decodes every percent escape of a segment. */
export function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    throw invalidPath()
  }
}

const escapedSlash = /(%2[fF])/

/** Decodes a value of several segments, leaving `%2F` alone. */
export function decodeSegments(segments: readonly string[]): string {
  return segments
    .map((segment) =>
      segment
        .split(escapedSlash)
        .map((part, at) => (at % 2 === 1 ? part : decodeSegment(part)))
        .join(''),
    )
    .join('/')
}

function invalidPath(): PlatformError {
  return new PlatformError('Cannot read the path: its percent escapes are not UTF-8', {
    kind: 'invalid',
    code: 'rpc.invalid_path',
  })
}
