import { resolve } from '../resolve.ts'
import type { Rule, SourceFile, Tree, Workspace } from '../tree.ts'

/** Suites and fakes for the tests of others use the test libraries of the root. */
const testing = /\/testing(\/|\.ts$)/

/** What a workspace declares in package.json is what it imports, no less and no more. */
export const dependenciesRule: Rule = {
  name: 'dependencies',
  *check(tree) {
    const rootTools = rootDependencies(tree)
    for (const workspace of tree.workspaces) {
      // The tools run in the root and use what the root has.
      if (workspace.kind === 'tools') continue
      const used = new Set<string>()
      // Generated code imports too.
      for (const file of tree.files.values()) {
        if (file.workspace !== workspace || !file.path.endsWith('.ts')) continue
        for (const { specifier, line } of file.module.imports) {
          const name = nameOf(tree, file, specifier)
          if (name === undefined || name === workspace.name) continue
          used.add(name)
          if (isDeclared(workspace, name, { isTest: file.isTest || testing.test(file.path), rootTools })) continue
          const message = `${name} is imported but not declared; add it to dependencies of ${workspace.folder}/package.json`
          yield { path: file.path, line, message }
        }
      }
      for (const name of [...workspace.dependencies, ...workspace.devDependencies]) {
        if (used.has(name)) continue
        const message = `${name} is declared but nothing imports it; remove it`
        yield { path: `${workspace.folder}/package.json`, line: 1, message }
      }
    }
  },
}

function isDeclared(
  workspace: Workspace,
  name: string,
  at: { readonly isTest: boolean; readonly rootTools: ReadonlySet<string> },
): boolean {
  if (workspace.dependencies.has(name)) return true
  return at.isTest && (workspace.devDependencies.has(name) || at.rootTools.has(name))
}

function nameOf(tree: Tree, file: SourceFile, specifier: string): string | undefined {
  const target = resolve(tree, file, specifier)
  if (target.is === 'external') return target.name
  if (target.is === 'hidden') return target.owner.name
  return target.is === 'file' ? target.via?.name : undefined
}

function rootDependencies(tree: Tree): ReadonlySet<string> {
  const manifest = JSON.parse(tree.files.get('package.json')?.text ?? '{}') as Record<string, object | undefined>
  return new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }))
}
