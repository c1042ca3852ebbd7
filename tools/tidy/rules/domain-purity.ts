import { resolve } from '../resolve.ts'
import type { Rule } from '../tree.ts'

/** What of @plinth/base is no decision but time, chance or identity. */
const impure = new Set(['systemClock', 'sleep', 'createSystemRandom', 'createIds', 'Clock', 'Random', 'Ids', 'Timer'])

const waiting = new Set(['async', 'await', 'Promise', 'AsyncIterable'])

/** A domain decides and does nothing else, so that it can be read, tested and replayed by itself. */
export const domainPurityRule: Rule = {
  name: 'domain purity',
  *check(tree) {
    for (const file of tree.sources) {
      if (file.isTest || !/^services\/[^/]+\/src\/domain\//.test(file.path)) continue
      for (const { specifier, line, names } of file.module.imports) {
        const target = resolve(tree, file, specifier)
        const isAllowed = target.is === 'file' && (!target.via || target.via.short === 'base')
        if (!isAllowed) {
          const message = `The domain imports ${specifier}; it may import only itself, its contract and @plinth/base`
          yield { path: file.path, line, message }
        }
        for (const { name } of names.filter((item) => impure.has(item.name))) {
          yield { path: file.path, line, message: `The domain takes ${name}; pass the value in: nowMs, id, a draw` }
        }
      }
      const { tokens } = file.code
      for (const [at, token] of tokens.entries()) {
        if (token.kind !== 'name' || !waiting.has(token.text) || tokens[at - 1]?.text === '.') continue
        const message = `The domain waits (${token.text}); let the use case fetch first, then decide at once`
        yield { path: file.path, line: token.line, message }
      }
    }
  },
}
