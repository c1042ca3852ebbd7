import { join } from '../resolve.ts'
import type { Finding, Rule, SourceFile } from '../tree.ts'

/** An index.ts is a table of contents written by hand: what it does not list does not exist. */
export const indexFormRule: Rule = {
  name: 'index form',
  *check(tree) {
    for (const file of tree.sources) {
      if (/^(packages|services)\/.*\/index\.ts$/.test(file.path)) yield* checkIndex(file)
    }
  },
}

function* checkIndex(file: SourceFile): Iterable<Finding> {
  const { path } = file
  const first = file.tokens[0]
  if (!(first?.kind === 'comment' && first.text.startsWith('/**') && first.text.includes('@module'))) {
    yield { path, line: 1, message: 'Begin with one doc comment that says what is inside and ends with @module' }
  }
  // A contract's table of contents also makes the contract objects from the generated code.
  if (path.includes('/contract/')) return
  for (const { form, line } of file.module.imports) {
    if (form !== 'reexport')
      yield { path, line, message: 'An index only lists: move code and imports to their own file' }
  }
  for (const { kind, from, line, name } of file.module.exports) {
    if (kind === 'star') yield { path, line, message: 'List the names instead of "export *"' }
    else if (from === undefined)
      yield { path, line, message: `${name} is declared here; move it to a file named for it` }
    else if (!from.startsWith('./'))
      yield { path, line, message: `${from} is not ours to export; import it where it is used` }
    else if (join('', from).endsWith('/index.ts')) {
      yield { path, line, message: `${from} is another table of contents; name the file itself` }
    }
  }
}
