import { publicNames } from '../public-names.ts'
import type { Finding, Rule } from '../tree.ts'

const wordsMin = 3

/**
 * Every name that a package offers has a doc comment whose first sentence stands alone. What a package keeps to
 * itself may go without: there the name has to do.
 */
export const docCommentsRule: Rule = {
  name: 'doc comments',
  check(tree) {
    const findings = new Map<string, Finding>()
    for (const workspace of tree.workspaces) {
      if (workspace.kind !== 'package') continue
      for (const subpath of workspace.exports.keys()) {
        for (const { name, file, declaration } of publicNames(tree, workspace, subpath)) {
          if (!tree.sources.includes(file) || declaration.kind === 'list') continue
          const problem = whatIsWrong(declaration.doc)
          if (!problem) continue
          const message = `${name} ${problem}; say what it guarantees, its units and bounds, and its error codes`
          findings.set(`${file.path}#${name}`, { path: file.path, line: declaration.line, message })
        }
      }
    }
    return findings.values()
  },
}

function whatIsWrong(doc: string | undefined): string | undefined {
  if (doc === undefined) return 'is exported without a doc comment'
  const text = doc.replaceAll(/^\/\*\*|\*\/$|^\s*\*/gm, ' ').trim()
  if (text.startsWith('@') && !text.startsWith('@link')) return 'has a doc comment without a first sentence'
  return text.split(/\s+/).length < wordsMin ? 'has a doc comment that says nothing' : undefined
}
