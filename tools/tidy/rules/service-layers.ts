import { resolve } from '../resolve.ts'
import type { Rule } from '../tree.ts'

/** Who may call whom inside a service: the layer, and the paths under the service that it may import. */
const layers: ReadonlyMap<string, RegExp> = new Map([
  ['src/domain/', /^src\/domain\/|^contract\//],
  ['src/usecases/', /^src\/(usecases|domain)\/|^contract\//],
  // Adapters implement the ports of the use cases and call none of them.
  ['src/adapters/', /^src\/(adapters|wire|domain)\/|^src\/usecases\/([\w-]+-)?ports\.ts$|^contract\//],
  ['src/entrypoints/', /^src\/(entrypoints|wire|usecases)\/|^contract\//],
  // One translation between the domain and the contract, for answers and for events alike.
  ['src/wire/', /^src\/(wire|domain)\/|^contract\//],
  ['contract/', /^contract\//],
])

const files: ReadonlyMap<string, RegExp> = new Map([
  ['src/main.ts', /^src\/(compose|config)\.ts$/],
  ['src/config.ts', /^src\/(domain\/|usecases\/ports\.ts$)/],
])

const advice = 'entrypoints -> usecases -> domain; adapters -> usecases/ports.ts and domain; compose.ts -> all'

/** The folders of a service say who calls whom. */
export const serviceLayersRule: Rule = {
  name: 'service layers',
  *check(tree) {
    for (const file of tree.sources) {
      const service = file.workspace
      // Tests put the layers together as compose.ts does.
      if (service?.kind !== 'service' || file.isTest) continue
      const inside = file.path.slice(service.folder.length + 1)
      const layer = [...layers.keys()].find((prefix) => inside.startsWith(prefix))
      const allowed = layer ? layers.get(layer) : files.get(inside)
      if (!layer && inside.startsWith('src/') && inside.indexOf('/', 4) > 0) {
        const message = `src/${inside.split('/')[1]}/ is no layer; use domain, usecases, adapters, entrypoints or wire`
        yield { path: file.path, line: 1, message }
      }
      if (!allowed) continue
      for (const { specifier, line, typeOnly } of file.module.imports) {
        const target = resolve(tree, file, specifier)
        if (target.is !== 'file' || target.via || !target.path.startsWith(`${service.folder}/`)) continue
        const to = target.path.slice(service.folder.length + 1)
        // An entry point turns refusals into answers and names the types of the domain; it decides nothing itself.
        const namesDomain = typeOnly ? to.startsWith('src/domain/') : to === 'src/domain/refusals.ts'
        if (allowed.test(to) || (layer === 'src/entrypoints/' && namesDomain)) continue
        // Translations are between types: what a use case answers, what a port carries.
        if (layer === 'src/wire/' && typeOnly && to.startsWith('src/usecases/')) continue
        yield { path: file.path, line, message: `${inside} must not import ${to}: ${advice}` }
      }
    }
  },
}
