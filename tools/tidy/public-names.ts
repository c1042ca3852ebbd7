import type { Export } from './module.ts'
import { resolve } from './resolve.ts'
import type { SourceFile, Tree, Workspace } from './tree.ts'

/** A name that others can import. */
export interface PublicName {
  readonly name: string
  /** Where it is declared. */
  readonly file: SourceFile
  readonly declaration: Export
  readonly typeOnly: boolean
}

/** All names a workspace offers at one of its entry points, followed to where they are declared. */
export function publicNames(tree: Tree, workspace: Workspace, subpath: string): readonly PublicName[] {
  const entry = tree.files.get(`${workspace.folder}/${(workspace.exports.get(subpath) ?? '').replace('./', '')}`)
  return entry ? namesOf(tree, entry) : []
}

function namesOf(tree: Tree, file: SourceFile): readonly PublicName[] {
  return file.module.exports.flatMap((item) => {
    const declared = follow(tree, file, item)
    return declared ? [{ ...declared, name: item.name, typeOnly: item.typeOnly || declared.declaration.typeOnly }] : []
  })
}

function follow(tree: Tree, file: SourceFile, item: Export): { file: SourceFile; declaration: Export } | undefined {
  if (item.from === undefined) return { file, declaration: item }
  const target = resolve(tree, file, item.from)
  const source = target.is === 'file' ? tree.files.get(target.path) : undefined
  const next = source?.module.exports.find((other) => other.name === item.localName)
  return source && next ? follow(tree, source, next) : undefined
}
