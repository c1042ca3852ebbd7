import type { SourceFile, Tree, Workspace } from './tree.ts'

/** Where an import leads. */
export type Target =
  | { readonly is: 'node'; readonly name: string }
  | { readonly is: 'external'; readonly name: string }
  /** A file of this repository; `via` is the workspace whose name was used, if one was. */
  | { readonly is: 'file'; readonly path: string; readonly via: Workspace | undefined }
  /** A name of this repository that its owner does not export. */
  | { readonly is: 'hidden'; readonly owner: Workspace; readonly subpath: string }

/** Follows an import the way Node does. */
export function resolve(tree: Tree, from: SourceFile, specifier: string): Target {
  if (specifier.startsWith('node:')) return { is: 'node', name: specifier }
  if (specifier.startsWith('.')) {
    return { is: 'file', path: join(from.path.slice(0, from.path.lastIndexOf('/')), specifier), via: undefined }
  }
  if (specifier.startsWith('#') && from.workspace) {
    const path = lookUp(from.workspace.imports, specifier)
    if (path !== undefined) return { is: 'file', path: join(from.workspace.folder, path), via: undefined }
  }
  const parts = specifier.split('/')
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '')
  const owner = tree.workspaces.find((workspace) => workspace.name === name)
  if (!owner) return { is: 'external', name }
  const subpath = `.${specifier.slice(name.length)}`
  const path = lookUp(owner.exports, subpath)
  if (path === undefined) return { is: 'hidden', owner, subpath }
  return { is: 'file', path: join(owner.folder, path), via: owner }
}

function lookUp(table: ReadonlyMap<string, string>, key: string): string | undefined {
  const exact = table.get(key)
  if (exact !== undefined) return exact
  for (const [pattern, target] of table) {
    const [before = '', after] = pattern.split('*')
    if (after === undefined || !key.startsWith(before) || !key.endsWith(after)) continue
    return target.replace('*', key.slice(before.length, key.length - after.length))
  }
  return undefined
}

/** Joins paths with `/` and resolves `.` and `..`. */
export function join(folder: string, path: string): string {
  const parts = folder === '' ? [] : folder.split('/')
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}
