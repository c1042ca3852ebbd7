import { publicNames } from './public-names.ts'
import { resolve } from './resolve.ts'
import type { Tree, Workspace } from './tree.ts'

/** Files whose content follows from the sources, so that a change of structure is a diff that people see. */
export function goldenFiles(tree: Tree): ReadonlyMap<string, string> {
  const files = new Map([['tools/tidy/golden/deps.txt', dependenciesText(tree)]])
  if (tree.workspaces.some(({ folder }) => folder === 'apps/plinth')) {
    files.set('apps/plinth/src/host/error-codes.json', errorCodesText(tree))
  }
  for (const workspace of tree.workspaces) {
    if (workspace.kind === 'package' || workspace.kind === 'service') {
      files.set(`tools/tidy/golden/${workspace.folder.replace('/', '-')}.api.txt`, interfaceText(tree, workspace))
    }
  }
  return files
}

/** The codes of all READMEs, for the pages that explain them; those of the edge are in the code that serves the pages. */
function errorCodesText(tree: Tree): string {
  const codes = tree.workspaces
    .filter(({ kind, short }) => (kind === 'package' || kind === 'service') && short !== 'http' && short !== 'rpc')
    .flatMap(({ folder }) => (tree.files.get(`${folder}/README.md`)?.text ?? '').split('\n'))
    .flatMap((line) => {
      const [, code = '', kind = '', when = ''] = line.split('|').map((cell) => cell.trim())
      const name = /^`([a-z][a-z0-9]*\.[a-z][a-z0-9_]*)`$/.exec(code)?.[1]
      // Where the kind depends, the first one named is the usual.
      const usual = /^[a-z_]+/.exec(kind)?.[0]
      return name && usual ? [{ code: name, kind: usual, when }] : []
    })
    .sort((a, b) => (a.code < b.code ? -1 : 1))
  return `${JSON.stringify(codes, undefined, 2)}\n`
}

/** One line a workspace: what its sources import, tests left out. */
function dependenciesText(tree: Tree): string {
  return tree.workspaces
    .filter(({ kind }) => kind !== 'tools')
    .map((workspace) => {
      const names = new Set<string>()
      for (const file of tree.sources) {
        if (file.workspace !== workspace || file.isTest) continue
        for (const { specifier } of file.module.imports) {
          const target = resolve(tree, file, specifier)
          if (target.is === 'file' && target.via && target.via !== workspace) names.add(target.via.name)
          if (target.is === 'external' || target.is === 'node') names.add(target.name)
        }
      }
      return `${[workspace.folder, ...[...names].sort()].join('\n  ')}\n`
    })
    .sort()
    .join('')
}

/** All that a workspace offers: the names by entry point, with their signatures. */
function interfaceText(tree: Tree, workspace: Workspace): string {
  let text = ''
  for (const subpath of [...workspace.exports.keys()].sort()) {
    const names = publicNames(tree, workspace, subpath)
    const lines = names.map(({ name, declaration, file }) => {
      const shown = declaration.signature === '' ? name : declaration.signature
      const alias = name === declaration.name ? '' : `${name} = `
      // Generated code has its own source; its names are enough.
      return `  ${alias}${file.path.includes('/gen/') ? declaration.name : shown}\n`
    })
    text += `${workspace.name}${subpath.slice(1)}\n${lines.sort().join('')}`
  }
  return text
}
