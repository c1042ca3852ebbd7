import { resolve } from '../resolve.ts'
import type { Finding, Rule, SourceFile, Tree } from '../tree.ts'

/** Files that something outside the sources starts. */
const started = /(^|\/)main\.ts$|\.(compare|bench)\.ts$|^(tools|tests|examples|bench|apps)\//

/**
 * Every file of a package or service is reached from what is exported or started, and every export is used by
 * somebody. What only tests use belongs in a test, in testing.ts or in a folder test/.
 */
export const deadCodeRule: Rule = {
  name: 'dead code',
  *check(tree) {
    const alive = reach(
      tree,
      [...tree.files.values()].filter((file) => isEntry(file)),
    )
    const taken = takenNames(tree)
    // What only tests start (a child to be killed, a relay that breaks connections) lives in testing/.
    const tried = reach(
      tree,
      tree.sources.filter(({ isTest }) => isTest),
    )
    for (const file of tree.sources) {
      if (!/^(packages|services)\//.test(file.path) || file.isTest) continue
      const isAlive = alive.has(file.path) || (file.path.includes('/testing/') && tried.has(file.path))
      if (!isAlive) {
        const message = 'Nothing that is exported or started reaches this file; remove it, or export what it is for'
        yield { path: file.path, line: 1, message }
      } else if (!isEntry(file)) yield* unusedExports(file, taken.get(file.path) ?? new Set())
    }
  },
}

function isEntry({ path, workspace, isTest }: SourceFile): boolean {
  if (isTest) return false
  if (started.test(path)) return true
  const targets = [...(workspace?.exports.values() ?? []), ...(workspace?.imports.values() ?? [])]
  return targets.some((target) => {
    const [before = '', after] = `${workspace?.folder}/${target.replace('./', '')}`.split('*')
    return after === undefined ? path === before : path.startsWith(before) && path.endsWith(after)
  })
}

function reach(tree: Tree, from: readonly SourceFile[]): ReadonlySet<string> {
  const seen = new Set(from.map(({ path }) => path))
  const queue = [...from]
  for (const file of queue) {
    for (const { specifier } of file.module.imports) {
      const target = resolve(tree, file, specifier)
      const next = target.is === 'file' ? tree.files.get(target.path) : undefined
      if (!next || seen.has(next.path)) continue
      seen.add(next.path)
      queue.push(next)
    }
  }
  return seen
}

/** By file: the names that other files take from it. `*` stands for all. */
function takenNames(tree: Tree): ReadonlyMap<string, ReadonlySet<string>> {
  const taken = new Map<string, Set<string>>()
  for (const file of tree.files.values()) {
    if (!file.path.endsWith('.ts')) continue
    for (const { specifier, names } of file.module.imports) {
      const target = resolve(tree, file, specifier)
      if (target.is !== 'file') continue
      const set = taken.getOrInsertComputed(target.path, () => new Set())
      for (const { name } of names) set.add(name)
    }
  }
  return taken
}

function* unusedExports(file: SourceFile, taken: ReadonlySet<string>): Iterable<Finding> {
  if (taken.has('*')) return
  for (const { name, line, kind } of file.module.exports) {
    if (taken.has(name)) continue
    // A type goes with what it describes, often by inference: its declaration and one more mention make it used.
    const isType = kind === 'interface' || kind === 'type'
    if (isType && file.code.tokens.filter(({ text }) => text === name).length > 1) continue
    yield { path: file.path, line, message: `No other file takes ${name}; drop the word export, or ${name} itself` }
  }
}
