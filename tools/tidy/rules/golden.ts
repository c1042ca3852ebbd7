import { goldenFiles } from '../golden.ts'
import type { Rule } from '../tree.ts'

/** What the packages import and offer is written down; a change of it is a change of these files. */
export const goldenRule: Rule = {
  name: 'golden files',
  *check(tree) {
    const expected = goldenFiles(tree)
    for (const [path, text] of expected) {
      const old = tree.files.get(path)?.text
      if (old === text) continue
      const now = new Set(text.split('\n'))
      const before = new Set((old ?? '').split('\n'))
      const added = [...now].find((line) => !before.has(line))
      const removed = [...before].find((line) => !now.has(line))
      const example = added !== undefined ? `+ ${added.trim()}` : `- ${removed?.trim() ?? 'order of lines'}`
      const message = `Differs from the sources (${example.slice(0, 100)}); if that is meant, run: npm run tidy -- --update`
      yield { path, line: 1, message }
    }
    for (const path of tree.files.keys()) {
      if (!path.startsWith('tools/tidy/golden/') || expected.has(path)) continue
      yield { path, line: 1, message: 'Describes a package that is not there; remove the file' }
    }
  },
}
