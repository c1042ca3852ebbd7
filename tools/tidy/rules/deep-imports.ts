import { resolve } from '../resolve.ts'
import type { Rule } from '../tree.ts'

/** Another workspace is reached by its name and only at what it exports. */
export const deepImportsRule: Rule = {
  name: 'deep imports',
  *check(tree) {
    for (const file of tree.sources) {
      for (const { specifier, line } of file.module.imports) {
        const target = resolve(tree, file, specifier)
        if (target.is === 'hidden') {
          const known = [...target.owner.exports.keys()].join(', ')
          const message = `${target.owner.name} does not export "${target.subpath}"; it exports ${known}`
          yield { path: file.path, line, message }
        } else if (target.is === 'file' && target.via === undefined) {
          const owner = tree.workspaces.find(({ folder }) => target.path.startsWith(`${folder}/`))
          // An app has no interface to keep; what spans the house may drive it from inside.
          const drivesApp = owner?.kind === 'app' && file.workspace === undefined
          if (owner !== undefined && owner !== file.workspace && !drivesApp) {
            const message = `${specifier} reaches into ${owner.folder}; import ${owner.name} instead`
            yield { path: file.path, line, message }
          } else if (!tree.has(target.path)) {
            yield { path: file.path, line, message: `${specifier} leads to ${target.path}, which does not exist` }
          }
        }
      }
    }
  },
}
