import { arrows, deadEnds, floors, forbidden, loggingFloor, services } from '../floors.ts'
import { resolve } from '../resolve.ts'
import type { Finding, Rule, SourceFile, Tree, Workspace } from '../tree.ts'

/** Imports between workspaces go down, never up and never sideways unless an arrow is drawn. */
export const floorsRule: Rule = {
  name: 'floors',
  *check(tree) {
    for (const { folder, kind, short } of tree.workspaces) {
      const isKnown = kind === 'package' ? floors.has(short) : kind !== 'service' || services.has(short)
      if (isKnown) continue
      const message = `${folder} is on no floor; add it to tools/tidy/floors.ts and to ARCHITECTURE.md`
      yield { path: `${folder}/package.json`, line: 1, message }
    }
    for (const file of tree.sources) yield* checkFile(tree, file)
  },
}

function* checkFile(tree: Tree, file: SourceFile): Iterable<Finding> {
  const from = file.workspace
  if (!from || from.kind === 'tools') return
  for (const { specifier, line } of file.module.imports) {
    const target = resolve(tree, file, specifier)
    const to = target.is === 'file' ? target.via : target.is === 'hidden' ? target.owner : undefined
    if (!to || to === from) continue
    const problem = whyNot(from, to, { specifier, isTest: file.isTest })
    if (problem) yield { path: file.path, line, message: `Cannot import ${specifier}: ${problem}` }
  }
}

function whyNot(
  from: Workspace,
  to: Workspace,
  how: { readonly specifier: string; readonly isTest: boolean },
): string | undefined {
  if (to.kind === 'app' || to.kind === 'tools') return `nothing imports ${to.folder}; move what is shared down`
  if (deadEnds.has(to.short) && from.kind !== 'app' && !how.isTest) {
    return `${to.short} is a dead end for bench/, tests and apps; pass in what it offers`
  }
  if (to.kind === 'service') {
    if (from.kind === 'package') return 'packages know nothing of the business; pass it in from the service'
    const isContract = how.specifier === `${to.name}/contract`
    // An app puts services together and may take all they export.
    if (from.kind === 'service' && !isContract) return `a service may import only ${to.name}/contract of another`
    return undefined
  }
  return from.kind === 'package' ? whyNotDown(from.short, to.short) : undefined
}

function whyNotDown(from: string, to: string): string | undefined {
  const arrow = `${from} > ${to}`
  const reason = forbidden.get(arrow)
  if (reason) return reason
  const [fromFloor = 0, toFloor = 0] = [floors.get(from), floors.get(to)]
  if (to === 'telemetry' && fromFloor < loggingFloor) {
    return `packages below F${loggingFloor} do not log; announce on node:diagnostics_channel`
  }
  if (toFloor < fromFloor || arrows.has(arrow)) return undefined
  const direction = toFloor > fromFloor ? 'up' : 'sideways'
  return `${from} (F${fromFloor}) would import ${direction} to ${to} (F${toFloor}); make it a parameter or a port`
}
