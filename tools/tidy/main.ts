/**
 * `npm run tidy`: the rules of the house. `npm run tidy -- --update` writes the golden files and tightens the
 * ratchet; words choose rules: `npm run tidy -- floors cycles`.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { goldenFiles } from './golden.ts'
import { loadTree } from './load.ts'
import { ratchetPath, tightenedRatchet } from './rules/lengths.ts'
import { rules } from './rules.ts'

const root = join(import.meta.dirname, '..', '..')
const { values, positionals } = parseArgs({ allowPositionals: true, options: { update: { type: 'boolean' } } })

if (values.update) {
  const tree = loadTree(root)
  const golden = goldenFiles(tree)
  for (const [path, text] of [...golden, [ratchetPath, tightenedRatchet(tree)] as const]) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const path of tree.files.keys()) {
    if (path.startsWith('tools/tidy/golden/') && !golden.has(path)) rmSync(join(root, path))
  }
}

const startMs = performance.now()
const tree = loadTree(root)
let count = 0
for (const rule of rules) {
  if (positionals.length > 0 && !positionals.some((word) => rule.name.includes(word))) continue
  const findings = [...rule.check(tree)].sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line)
  count += findings.length
  if (findings.length > 0) console.log(`\n${rule.name}: ${findings.length}`)
  for (const { path, line, message } of findings) console.log(`  ${path}:${line} ${message}`)
}
const took = `${tree.files.size} files, ${rules.length} rules, ${Math.round(performance.now() - startMs)} ms`
console.log(count === 0 ? `tidy: nothing to say (${took})` : `\ntidy: ${count} findings (${took})`)
process.exitCode = count === 0 ? 0 : 1
