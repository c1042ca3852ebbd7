import { stringValue } from '../tokenizer.ts'
import type { Rule, SourceFile, Tree, Workspace } from '../tree.ts'

const codePattern = /^[a-z][a-z0-9]*\.[a-z][a-z0-9_]*$/

/** A code that the sources of a package use stands in its README, and the other way round. */
export const errorCodesRule: Rule = {
  name: 'error codes',
  *check(tree) {
    for (const workspace of tree.workspaces) {
      if (workspace.kind !== 'package' && workspace.kind !== 'service') continue
      const readme = `${workspace.folder}/README.md`
      // Suites in testing/ name the codes that others should answer.
      const sources = tree.sources.filter((file) => {
        return file.workspace === workspace && !file.isTest && !/\/testing(\/|\.ts$)/.test(file.path)
      })
      const used = new Map<string, { path: string; line: number }>()
      const strings = new Set<string>()
      for (const file of sources) collect(file, { used, strings })
      const listed = codesOfReadme(tree.files.get(readme)?.text ?? '')
      for (const [code, { path, line }] of used) {
        const owner = ownerOf(tree, code)
        if (owner !== undefined && owner !== workspace) {
          // Who implements a port fails as its treaty says, with the codes of the port's owner.
          if (codesOfReadme(tree.files.get(`${owner.folder}/README.md`)?.text ?? '').has(code)) continue
          const message = `The code "${code}" is not listed by ${owner.folder}; own codes begin with "${workspace.short}."`
          yield { path, line, message }
        } else if (!listed.has(code)) {
          yield {
            path,
            line,
            message: `The code "${code}" is missing in the table "| code | kind | when |" of ${readme}`,
          }
        }
      }
      for (const [code, line] of listed) {
        // A refusal becomes a code at the entry point by its name alone: `orders.${refusal.refused}`.
        if (strings.has(code) || strings.has(code.slice(code.indexOf('.') + 1))) continue
        yield { path: readme, line, message: `The code "${code}" is listed, but no source uses it; remove the row` }
      }
    }
  },
}

/** The package or service that the first word of a code names. */
function ownerOf(tree: Tree, code: string): Workspace | undefined {
  const owner = code.slice(0, code.indexOf('.'))
  return tree.workspaces.find(({ short, kind }) => short === owner && (kind === 'package' || kind === 'service'))
}

interface Collected {
  readonly used: Map<string, { path: string; line: number }>
  readonly strings: Set<string>
}

/** Finds `code: 'x.y'`, also when a condition chooses between two, and all strings. */
function collect(file: SourceFile, { used, strings }: Collected): void {
  const { tokens, depths } = file.code
  for (const [at, token] of tokens.entries()) {
    if (token.kind === 'string') strings.add(stringValue(token))
    if (token.text !== 'code' || tokens[at + 1]?.text !== ':') continue
    for (let next = at + 2; next < tokens.length; next++) {
      const value = tokens[next]
      if (!value || (depths[next] ?? 0) < (depths[at] ?? 0) || (depths[next] === depths[at] && value.text === ','))
        break
      if (value.kind !== 'string' || depths[next] !== depths[at]) continue
      const code = stringValue(value)
      // In a type the strings after `code:` are a union of codes; both count.
      if (codePattern.test(code)) used.set(code, { path: file.path, line: value.line })
      if (tokens[next + 1]?.kind === 'name' && tokens[next + 1]?.line !== value.line) break
    }
  }
}

function codesOfReadme(text: string): ReadonlyMap<string, number> {
  const codes = new Map<string, number>()
  for (const [index, line] of text.split('\n').entries()) {
    const [, first = ''] = line.split('|')
    const code = /^`([^`]+)`$/.exec(first.trim())?.[1]
    if (code !== undefined && line.startsWith('|') && codePattern.test(code)) codes.set(code, index + 1)
  }
  return codes
}
