import { stringValue } from '../tokenizer.ts'
import type { Rule, Tree } from '../tree.ts'

const capabilities = 'docs/capabilities.md'
const maps = [capabilities, 'README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']

/** Paths and commands that the maps of the house name are there. */
export const capabilitiesRule: Rule = {
  name: 'maps',
  *check(tree) {
    const scripts = scriptsOf(tree)
    const words = commandWords(tree)
    for (const path of maps) {
      for (const [index, line] of (tree.files.get(path)?.text ?? '').split('\n').entries()) {
        for (const [, quoted = ''] of line.matchAll(/`([^`]+)`/g)) {
          const problem = whatIsWrong(tree, quoted, { scripts, words })
          if (problem) yield { path, line: index + 1, message: problem }
        }
      }
    }
  },
}

function whatIsWrong(
  tree: Tree,
  quoted: string,
  known: { readonly scripts: ReadonlySet<string>; readonly words: ReadonlySet<string> },
): string | undefined {
  const script = /^npm (?:run )?([a-z:]+)/.exec(quoted)
  if (script && !['ci', 'install', 'ping'].includes(script[1] ?? '') && !known.scripts.has(script[1] ?? '')) {
    return `There is no script "${script[1]}" in package.json`
  }
  const command = /^(?:npx )?plinth ([a-z][\w-]*)/.exec(quoted)
  if (command && known.words.size > 0 && !known.words.has(command[1] ?? '')) {
    return `The command line has no command "${command[1]}"`
  }
  // Only what begins like a path of this repository is taken for one; patterns and placeholders are not followed.
  const path = /^(packages|services|apps|tools|tests|bench|docs|deploy|examples|sdk)\/[\w./-]*$/.exec(quoted)
  if (path && !tree.has(quoted.replace(/\/$/, '')))
    return `${quoted} does not exist; correct the path or remove the line`
  return undefined
}

function scriptsOf(tree: Tree): ReadonlySet<string> {
  const manifest = JSON.parse(tree.files.get('package.json')?.text ?? '{}') as { scripts?: Record<string, string> }
  return new Set(Object.keys(manifest.scripts ?? {}))
}

/** First words of what the command line registers: `.command('orders <id>')`, or the name of a command object. */
function commandWords(tree: Tree): ReadonlySet<string> {
  const words = new Set<string>()
  for (const file of tree.sources) {
    if (!file.path.startsWith('apps/plinth/')) continue
    for (const token of file.tokens) {
      if (token.kind === 'string') words.add(stringValue(token).split(' ')[0] ?? '')
    }
  }
  return words
}
