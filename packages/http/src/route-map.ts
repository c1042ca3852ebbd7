import type { RouteOptions } from 'fastify'

/** Knows which methods a path takes, which Fastify does not tell. Asked only when nothing matched. */
export interface RouteMap {
  add(route: RouteOptions): void
  addSource(source: (path: string) => readonly string[]): void
  /** Methods of all routes that match the path of `url`, sorted; with `OPTIONS` if there is any. */
  allowed(url: string): readonly string[]
}

/** A route with this in its `config` answers for itself whether a path exists, and is left out. */
export const catchAll = { plinthCatchAll: true } as const

export function createRouteMap(): RouteMap {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = []
  const sources: ((path: string) => readonly string[])[] = []
  return {
    add(route) {
      if ((route.config as Partial<typeof catchAll> | undefined)?.plinthCatchAll) return
      const methods = typeof route.method === 'string' ? [route.method] : route.method
      routes.push({ pattern: patternOf(route.url), methods })
    },
    addSource(source) {
      sources.push(source)
    },
    allowed(url) {
      const query = url.indexOf('?')
      const path = query < 0 ? url : url.slice(0, query)
      const methods = new Set<string>(sources.flatMap((source) => source(path)))
      for (const route of routes) if (route.pattern.test(path)) for (const method of route.methods) methods.add(method)
      if (methods.size > 0) methods.add('OPTIONS')
      return [...methods].sort()
    },
  }
}

function patternOf(url: string): RegExp {
  const parts = url.split(/(:[A-Za-z0-9_]+|\*)/)
  const source = parts.map((part, at) => (at % 2 === 0 ? RegExp.escape(part) : part === '*' ? '.*' : '[^/]+'))
  return new RegExp(`^${source.join('')}$`)
}
