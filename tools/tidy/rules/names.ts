import type { Rule } from '../tree.ts'

/** Names that say nothing: whatever is put there could be put anywhere. */
const drawers = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'types', 'manager', 'shared', 'lib'])

const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|int\.test|sim\.test|fixture|suite|bench|compare))?\.(ts|mjs|tsx)$/

/** Sources are TypeScript; the few scripts beside them, which run before anything is installed, are named alike. */
const script = /\.[cm]?js$/

/** Files are named in kebab-case for the one public thing in them; the folder tells the role. */
export const namesRule: Rule = {
  name: 'names',
  *check(tree) {
    const scripts = [...tree.files.keys()].filter((path) => script.test(path))
    for (const path of [...tree.sources.map(({ path }) => path), ...scripts]) {
      const parts = path.split('/')
      const file = parts.at(-1) ?? ''
      const stem = file.split('.')[0] ?? ''
      const drawer = [...parts.slice(0, -1), stem].find((part) => drawers.has(part))
      if (drawer) yield { path, line: 1, message: `"${drawer}" is a drawer; name it for what is in it` }
      if (!kebab.test(file)) {
        const message = 'Name the file in kebab-case, without a role: place-order.ts, not order.service.ts'
        yield { path, line: 1, message }
      }
    }
  },
}
